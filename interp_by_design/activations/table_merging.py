"""Interpretation tables of shards, or of several processes, as one. Knows nothing of how they were made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from interp_by_design.activations.table_folder import (
    AT_ONCE,
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
    """`tables` as one, sorted by image index; an image that is in several, as the padding of processes is, counts once.

    With `folder`, it is stored there and memory-mapped, so that memory need not hold it.

    Raises `UserError` where there is none, for tables of different heads (they are not of one model), where one image has two
    labels (they are not of one split), and where the folder cannot be written.
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
    """Rows that were gathered piece by piece, as columns on the CPU."""
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def _order(parts: Sequence[InterpretationTable]) -> Indices:
    """Rows of the parts one after another, by image index, the first of those of one image."""
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
    """The rows in that order, some at once."""
    starts = torch.tensor([0, *(len(part) for part in parts)]).cumsum(dim=0)
    for rows in torch.split(order, AT_ONCE):
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
