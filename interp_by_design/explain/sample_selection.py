"""Selection of images worth a look: failures, images typical of a class, and a random rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool
from torch import Tensor

from interp_by_design.explain.local_explanation import LocalColumns
from interp_by_design.terms import InterpretationTable

FAILURE_FRACTION = 6  # at most 1/6 of the images for each kind of failure
TYPICAL_FRACTION = 4  # at most 1/4 of the images for what is typical of a class
MAX_TYPICAL = 6  # images of one class
MIXED = "Shares among them are therefore not those of all images."
AT_RANDOM = "drawn at random"
OF_A_CLASS = "typical of its class"


@final
@dataclass(frozen=True)
class SampleSelection:
    """Rows of a table that are worth a look.

    Args:
        rows: Rows of the table, in ascending order of their image indices.
        reasons: Why each row is selected.
        typical: For each class the selected rows that are typical of it, nearest first.
        description: The selection in one or two sentences.
    """

    rows: tuple[int, ...]
    reasons: Mapping[int, tuple[str, ...]]
    typical: Mapping[int, tuple[int, ...]]
    description: str


def select_samples(
    table: InterpretationTable, columns: LocalColumns, n: int, split: str, seed: int
) -> SampleSelection:
    """Select at most `n` rows of a table; the same rows for the same table and seed.

    Args:
        table: The interpretation table.
        columns: Local explanations of its rows.
        n: Maximum number of rows.
        split: Name of the split, for the description.
        seed: Seed of the random draws.

    Returns:
        The selection.
    """
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(table), generator=draw)
    failures = _failures(columns)
    typical = typical_rows(table, columns, n // TYPICAL_FRACTION)
    groups = {
        kind: order[holds[order]][: max(1, n // FAILURE_FRACTION)].tolist()
        for kind, holds in failures.items()
    }
    groups[OF_A_CLASS] = [row for rows in typical.values() for row in rows]
    reasons: dict[int, list[str]] = defaultdict(list)
    for kind, rows in groups.items():
        for row in rows:
            if row in reasons or len(reasons) < n:
                reasons[row].append(kind)
    rest = [row for row in order.tolist() if row not in reasons][: n - len(reasons)]
    rows = sorted([*reasons, *rest], key=lambda row: int(table.indices[row]))
    counts = [
        f"{int(holds[rows].sum()):,} of the {int(holds.sum()):,} where {kind}"
        for kind, holds in failures.items()
    ]
    counts += [
        f"{len(groups[OF_A_CLASS])} typical of their class",
        f"the others drawn at random (seed {seed})",
    ]
    some = f"{len(rows):,} of the {len(table):,} images of {split}: {', '.join(counts)}. {MIXED}"
    return SampleSelection(
        rows=tuple(rows),
        reasons={row: tuple(reasons.get(row, (AT_RANDOM,))) for row in rows},
        typical={
            c: kept
            for c, found in typical.items()
            if (kept := tuple(row for row in found if row in reasons))
        },
        description=f"All {len(table):,} images of {split}." if len(rows) == len(table) else some,
    )


def typical_rows(
    table: InterpretationTable, columns: LocalColumns, n: int
) -> dict[int, tuple[int, ...]]:
    """Find the rows nearest to the mean attributes of their class.

    A class is what f and g both decide. Every class gets the same number of rows; where `n` is
    smaller than the number of classes, the most frequent classes get one each.

    Args:
        table: The interpretation table.
        columns: Local explanations of its rows.
        n: Maximum number of rows over all classes.

    Returns:
        For each class its rows, nearest first.
    """
    decided = columns.interpreter_class
    counts = torch.bincount(decided[columns.agrees])
    frequent = [c for c in counts.argsort(descending=True, stable=True)[:n].tolist() if counts[c]]
    per_class = min(MAX_TYPICAL, n // max(1, len(frequent)))
    found = {}
    for c in sorted(frequent):
        rows = ((decided == c) & columns.agrees).nonzero().squeeze(1)
        attributes = table.attributes[rows].double()
        distance = (attributes - attributes.mean(dim=0)).square().sum(dim=1)
        found[c] = tuple(rows[distance.argsort(stable=True)[:per_class]].tolist())
    return found


def _failures(columns: LocalColumns) -> dict[str, Bool[Tensor, "n"]]:
    kinds = {
        "f and g disagree": ~columns.agrees,
        "f is wrong": ~columns.correct,
        "what is shown is not sufficient": ~columns.sufficient,
        "no attribute contributes": columns.unexplained,
    }
    return {kind: holds.bool() for kind, holds in kinds.items() if holds.any()}
