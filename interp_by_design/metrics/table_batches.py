"""Reading an interpretation table: checked once, then a few rows at a time.

Does not know what is computed from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from interp_by_design.relevance import require_classes
from interp_by_design.terms import InterpretationTable, UserError

ROWS = 4096  # at 1,000 classes and 200 attributes some 40 MB in double precision, whatever the length of the table

SAMPLES = ("predictor", "interpreter", "attributes", "reconstruction_error", "class_mean_error")
Columns = Callable[[InterpretationTable], Mapping[str, Tensor]]


def require_table(table: InterpretationTable) -> None:
    """UserError for an empty table, unequal columns, a single class, no attribute, foreign labels, or a NaN or infinity."""
    if not len(table):
        raise UserError(
            "The interpretation table is empty: there is nothing to score. Check the split that it was made from."
        )
    lengths = {name: getattr(table, name).shape[0] for name in ("indices", "labels", *SAMPLES)}
    if len(set(lengths.values())) > 1:
        raise UserError(
            f"The columns of an interpretation table have one row a sample, but their lengths are {lengths}."
        )
    n_classes, n_attributes = table.head_weights.shape
    if n_classes < 2 or n_attributes < 1:
        raise UserError(
            f"A scorecard needs two classes and an attribute at least, not {n_classes} and {n_attributes}."
        )
    require_classes(table.labels, n_classes)
    columns = {name: getattr(table, name) for name in (*SAMPLES, "head_weights", "head_bias")}
    if bool(table.class_mean_error.isnan().all()):  # not computed: there were no class means
        del columns["class_mean_error"]
    require_finite(columns)


def require_finite(columns: Mapping[str, Tensor]) -> None:
    """UserError that names the first column holding NaN or an infinity, and the first row where it does."""
    for name, column in columns.items():
        finite = (
            torch.isfinite(column).flatten(start_dim=1).all(dim=1)
            if column.dim() > 1
            else torch.isfinite(column)
        )
        if not bool(finite.all()):
            first = int((~finite).nonzero()[0])
            raise UserError(
                f"Column '{name}' holds NaN or an infinity in {int((~finite).sum())} of {len(finite)} rows, first in row {first}."
                " Scores of it would mean nothing. Look for a training that diverged, or for half precision that overflowed."
            )


def chunks(table: InterpretationTable, rows: int = ROWS) -> Iterator[InterpretationTable]:
    """The table in pieces of at most `rows` samples, on the CPU, in double precision and without gradients."""
    weights, bias = _double(table.head_weights), _double(table.head_bias)
    for start in range(0, len(table), rows):
        part = slice(start, start + rows)
        measured = {name: _double(getattr(table, name)[part]) for name in SAMPLES}
        whole = {"indices": table.indices[part].cpu(), "labels": table.labels[part].cpu().long()}
        yield InterpretationTable(**whole, **measured, head_weights=weights, head_bias=bias)


def samplewise(table: InterpretationTable, columns: Columns) -> dict[str, Tensor]:
    """`columns` of each chunk, one value a sample, joined again: name -> [N]."""
    parts = [columns(chunk) for chunk in chunks(table)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def totals(table: InterpretationTable, columns: Columns) -> dict[str, Tensor]:
    """`columns` of each chunk, summed over the chunks: name -> a tensor of the shape it has in one chunk."""
    summed: dict[str, Tensor] = {}
    for chunk in chunks(table):
        for name, value in columns(chunk).items():
            summed[name] = summed[name] + value if name in summed else value
    return summed


def _double(values: Tensor) -> Tensor:
    return values.detach().to("cpu", torch.float64)
