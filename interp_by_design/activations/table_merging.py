"""Merging of interpretation tables of shards or processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from interp_by_design.activations.table_folder import (
    ROWS,
    head_hash,
    head_of,
    load_table,
    writing_table,
)
from interp_by_design.metrics.table_batches import BATCH_ROWS
from interp_by_design.terms import Indices, InterpretationTable, UserError


def merged(
    tables: Iterable[InterpretationTable], folder: Path | None = None
) -> InterpretationTable:
    """Merge tables into one, sorted by image index.

    An image that is in several tables counts once: distributed samplers pad with repeated images.

    Args:
        tables: Tables of one model and one split.
        folder: Where the merged table is stored and memory-mapped from; None to keep it in memory.

    Returns:
        The merged table.

    Raises:
        UserError: If there is no table, if the heads differ, if one image has two labels, or if
            the folder cannot be written.
    """
    parts = list(tables)
    if not parts:
        raise UserError("There is no table to merge. Give at least one.")
    if len({head_hash(head_of(part)) for part in parts}) > 1:
        raise UserError(
            "These tables cannot be merged: the weights of h differ, so they are not of one model."
        )
    rows, head = _picked(parts, _order(parts)), head_of(parts[0])
    if folder is None:
        return InterpretationTable(**concatenated(list(rows)), **head)
    with writing_table(folder, head) as append:
        for some in rows:
            append(some)
    return load_table(folder)


def concatenated(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Concatenate rows that were collected in parts.

    Args:
        parts: Columns by name, at least one part.

    Returns:
        The whole columns, on the CPU.
    """
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def _order(parts: Sequence[InterpretationTable]) -> Indices:
    """Return rows of the concatenated parts, by image index, the first row of each image."""
    indices, order = torch.cat([part.indices for part in parts]).sort(stable=True)
    labels = torch.cat([part.labels for part in parts])[order]
    again = torch.zeros_like(indices, dtype=torch.bool)
    again[1:] = indices[1:] == indices[:-1]
    if bool((again[1:] & (labels[1:] != labels[:-1])).any()):
        raise UserError(
            "These tables cannot be merged: one image has two labels, so they are not of one split."
        )
    return order[~again]


def _picked(parts: Sequence[InterpretationTable], order: Indices) -> Iterator[dict[str, Tensor]]:
    """Yield the rows in that order, in batches."""
    starts = torch.tensor([0, *(len(part) for part in parts)]).cumsum(dim=0)
    for rows in torch.split(order, BATCH_ROWS):
        owner = torch.searchsorted(starts, rows, right=True) - 1
        columns = {
            name: getattr(parts[0], name).new_empty(len(rows), *getattr(parts[0], name).shape[1:])
            for name in ROWS
        }
        for number in sorted(set(owner.tolist())):
            here = owner == number
            for name, column in columns.items():
                column[here] = getattr(parts[number], name)[rows[here] - starts[number]]
        yield columns
