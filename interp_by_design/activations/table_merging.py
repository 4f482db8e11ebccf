"""Merging of interpretation tables of shards or processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from interp_by_design.activations.table_folder import (
    BATCH_ROWS,
    ROWS,
    head_hash,
    head_of,
    load_table,
    writing_table,
)
from interp_by_design.terms import Indices, InterpretationTable, UserError


def merged(
    tables: Iterable[InterpretationTable], folder: Path | None = None
) -> InterpretationTable:
    """Merge tables, sorted by image index; an image that is in several counts once.

    Args:
        tables: Of one model and one split.
        folder: Where the result is stored and memory-mapped; None keeps it in memory.

    Returns:
        The merged table.

    Raises:
        UserError: If there is none, heads differ, one image has two labels, or the folder cannot be
            written.
    """
    parts = list(tables)
    if not parts:
        raise UserError("There is no table to merge. Give one at least.")
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
    """Join rows that were collected in parts.

    Args:
        parts: Columns by name.

    Returns:
        Columns on the CPU.
    """
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def _order(parts: Sequence[InterpretationTable]) -> Indices:
    """Return the rows of all parts by image index, the first one of each image."""
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
