"""Checks of an interpretation table, and its rows in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from interp_by_design.relevance import require_classes
from interp_by_design.terms import InterpretationTable, UserError

BATCH_ROWS = 4096  # 1,000 classes and 200 attributes: some 40 MB a batch in double precision

SAMPLE_COLUMNS = (
    "predictor",
    "interpreter",
    "attributes",
    "reconstruction_error",
    "class_mean_error",
)
Columns = Callable[[InterpretationTable], Mapping[str, Tensor]]


def row_slices(n_rows: int, batch_rows: int | None = None) -> Iterator[slice]:
    """Return the row ranges of successive batches, in order.

    Args:
        n_rows: How many rows there are.
        batch_rows: The most rows of a batch; None for `BATCH_ROWS`.

    Returns:
        Slices that cover every row once. No rows at all are one empty batch, so that the results of
        the batches can always be joined.

    >>> list(row_slices(5, batch_rows=2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    size = BATCH_ROWS if batch_rows is None else batch_rows
    for start in range(0, max(1, n_rows), size):
        yield slice(start, min(start + size, n_rows))


def row_batches(
    table: InterpretationTable, batch_rows: int | None = None
) -> Iterator[InterpretationTable]:
    """Return the table in parts, on the CPU, in double precision and without gradients.

    Memory holds one part at a time.

    Args:
        table: The table, of N rows.
        batch_rows: The most rows of a part; None for `BATCH_ROWS`.

    Returns:
        Tables of successive rows, each with the head of the whole one.
    """
    weights, bias = _double(table.head_weights), _double(table.head_bias)
    for rows in row_slices(len(table), batch_rows):
        yield InterpretationTable(
            indices=table.indices[rows].cpu(),
            labels=table.labels[rows].cpu().long(),
            **{name: _double(getattr(table, name)[rows]) for name in SAMPLE_COLUMNS},
            head_weights=weights,
            head_bias=bias,
        )


def samplewise(table: InterpretationTable, columns: Columns) -> dict[str, Tensor]:
    """Compute columns of one value a sample, batch by batch.

    Args:
        table: The table, of N rows.
        columns: Maps a part of n rows to tensors [n], by name.

    Returns:
        The joined columns, [N], by name.
    """
    parts = [columns(part) for part in row_batches(table)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def totals(table: InterpretationTable, columns: Columns) -> dict[str, Tensor]:
    """Compute sums over the samples, batch by batch.

    Args:
        table: The table, of N rows.
        columns: Maps a part of the table to its sums, by name.

    Returns:
        The sums over all parts, by name, in the shapes that `columns` gives.
    """
    summed: dict[str, Tensor] = {}
    for part in row_batches(table):
        for name, value in columns(part).items():
            summed[name] = summed[name] + value if name in summed else value
    return summed


def require_table(table: InterpretationTable) -> None:
    """Check that a table can be scored.

    Args:
        table: The table.

    Raises:
        UserError: The table is empty, its columns differ in length, it has a single class or no
            attribute, a label is no class, or a column holds NaN or an infinity.
    """
    if not len(table):
        raise UserError(
            "The interpretation table is empty: there is nothing to score. "
            "Check the split that it was made from."
        )
    names = ("indices", "labels", *SAMPLE_COLUMNS)
    lengths = {name: getattr(table, name).shape[0] for name in names}
    if len(set(lengths.values())) > 1:
        raise UserError(
            "The columns of an interpretation table have one row a sample, "
            f"but their lengths are {lengths}."
        )
    n_classes, n_attributes = table.head_weights.shape
    if n_classes < 2 or n_attributes < 1:
        raise UserError(
            "A scorecard needs at least two classes and one attribute, "
            f"not {n_classes} and {n_attributes}."
        )
    require_classes(table.labels, n_classes)
    names = (*SAMPLE_COLUMNS, "head_weights", "head_bias")
    columns = {name: getattr(table, name) for name in names}
    if bool(table.class_mean_error.isnan().all()):  # not computed: there were no class means
        del columns["class_mean_error"]
    require_finite(columns)


def require_finite(columns: Mapping[str, Tensor]) -> None:
    """Check that every number is finite.

    Args:
        columns: Tensors [n] or [n, …], by name.

    Raises:
        UserError: A column holds NaN or an infinity. The message names the first such column, and
            its first such row.
    """
    for name, column in columns.items():
        finite = torch.isfinite(column)
        if column.dim() > 1:
            finite = finite.flatten(start_dim=1).all(dim=1)
        if not bool(finite.all()):
            first = int((~finite).nonzero()[0])
            raise UserError(
                f"Column '{name}' holds NaN or an infinity in {int((~finite).sum())} of "
                f"{len(finite)} rows, first in row {first}. Scores of it would mean nothing. "
                "Look for a training that diverged, or for half precision that overflowed."
            )


def _double(values: Tensor) -> Tensor:
    return values.detach().to("cpu", torch.float64)
