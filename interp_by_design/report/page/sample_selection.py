"""Which images the page shows: those where something is amiss, those typical of a class, and a random rest. Knows no images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from interp_by_design.explain import LocalColumns
from interp_by_design.terms import InterpretationTable

AMISS, TYPICAL = (
    6,
    4,
)  # at most 1/6 of the samples for each thing amiss, and 1/4 for what is typical
MOST_TYPICAL = 6  # of one class
MIXED = "Shares among them are therefore not those of all images."
AT_RANDOM, OF_A_CLASS = "drawn at random", "typical of its class"


@dataclass(frozen=True)
class Choice:
    """Rows of the table in the order of their images, why each was chosen, those typical of each class, and all that in words."""

    rows: tuple[int, ...]
    reasons: Mapping[int, tuple[str, ...]]
    typical: Mapping[int, tuple[int, ...]]
    told: str


def choose(
    table: InterpretationTable, columns: LocalColumns, n: int, split: str, seed: int
) -> Choice:
    """At most `n` rows of `table`; the same ones for the same table and seed."""
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(table), generator=draw)
    amiss = _amiss(columns)
    typical = typical_rows(table, columns, n // TYPICAL)
    parts = {
        kind: order[holds[order]][: max(1, n // AMISS)].tolist() for kind, holds in amiss.items()
    }
    parts[OF_A_CLASS] = [row for rows in typical.values() for row in rows]
    reasons: dict[int, list[str]] = defaultdict(list)
    for kind, rows in parts.items():
        for row in rows:
            if row in reasons or len(reasons) < n:
                reasons[row].append(kind)
    rest = [row for row in order.tolist() if row not in reasons][: n - len(reasons)]
    rows = sorted([*reasons, *rest], key=lambda row: int(table.indices[row]))
    here = [
        f"{int(holds[rows].sum()):,} of the {int(holds.sum()):,} where {kind}"
        for kind, holds in amiss.items()
    ]
    here += [
        f"{len(parts[OF_A_CLASS])} typical of their class",
        f"the others drawn at random (seed {seed})",
    ]
    told = f"{len(rows):,} of the {len(table):,} images of {split}: {', '.join(here)}. {MIXED}"
    return Choice(
        rows=tuple(rows),
        reasons={row: tuple(reasons.get(row, (AT_RANDOM,))) for row in rows},
        typical={
            c: kept
            for c, found in typical.items()
            if (kept := tuple(row for row in found if row in reasons))
        },
        told=f"All {len(table):,} images of {split}." if len(rows) == len(table) else told,
    )


def typical_rows(
    table: InterpretationTable, columns: LocalColumns, most: int
) -> dict[int, tuple[int, ...]]:
    """For each class the rows that f and g decide so, whose attributes are nearest to the mean of such rows, nearest first.

    At most `most` in all, as many for each class, and at least one for the most frequent classes.
    """
    decided = columns.interpreter_class
    counts = torch.bincount(decided[columns.agrees])
    frequent = [
        c for c in counts.argsort(descending=True, stable=True)[:most].tolist() if counts[c]
    ]
    each = min(MOST_TYPICAL, most // max(1, len(frequent)))
    found = {}
    for c in sorted(frequent):
        rows = ((decided == c) & columns.agrees).nonzero().squeeze(1)
        attributes = table.attributes[rows].double()
        distance = (attributes - attributes.mean(dim=0)).square().sum(dim=1)
        found[c] = tuple(rows[distance.argsort(stable=True)[:each]].tolist())
    return found


def _amiss(columns: LocalColumns) -> dict[str, Bool[Tensor, "n"]]:
    kinds = {
        "f and g disagree": ~columns.agrees,
        "f is wrong": ~columns.correct,
        "what is shown is not sufficient": ~columns.sufficient,
        "no attribute contributes": columns.unexplained,
    }
    return {kind: holds.bool() for kind, holds in kinds.items() if holds.any()}
