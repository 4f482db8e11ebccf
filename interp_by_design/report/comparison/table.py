"""Runs beside one another: in which options they differ, and their numbers. Knows nothing of files, nor how it is shown."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from interp_by_design.metrics import SCORES
from interp_by_design.metrics.gates import Direction
from interp_by_design.metrics.seed_stability import SEED_SCORES

MAIN = (
    "test/predictor_accuracy",
    "test/interpreter_accuracy",
    "test/fidelity",
    "test/conciseness_abs@5",
    "test/dead_attributes",
    "test/within_class_explained",
    "test/logit_predictability",
    "test/stability_seeds",
    "test/stability_seeds_random",
    "train/seconds",
)
# What says where a run writes, what it shows and who reads ahead for it, and nothing of what it is.
LEFT_OUT = {"folder", "name", "resume", "debug", "logger", "data.workers"}
DIRECTIONS = {
    f"{split}/{score.key}": score.direction
    for split in ("test", "val")
    for score in (*SCORES, *SEED_SCORES)
}
ABSENT = "-"


@dataclass(frozen=True)
class RunRecord:
    """A run as its folder tells it: its config by dotted keys, and its numbers; None where it has none yet."""

    name: str
    config: Mapping[str, Any]
    scores: Mapping[str, float] | None
    folder: Path | None = field(default=None, compare=False)

    @property
    def options(self) -> dict[str, str]:
        """What tells it from other runs, as text."""
        return {
            key: _told(value)
            for key, value in self.config.items()
            if not {key, key.partition(".")[0]} & LEFT_OUT
        }


@dataclass(frozen=True)
class Cell:
    """A number of a run, or the mean of several with their standard deviation; None where there is none."""

    value: float | None
    deviation: float | None = None
    is_best: bool = False


@dataclass(frozen=True)
class Row:
    """A run, or several that differ in nothing but the seed."""

    name: str
    options: tuple[str, ...]
    cells: tuple[Cell, ...]
    is_finished: bool = True


@dataclass(frozen=True)
class Comparison:
    """Runs beside one another. The options and cells of each row are in the order of `options` and `scores`."""

    options: tuple[str, ...]
    scores: tuple[str, ...]
    runs: tuple[Row, ...]
    means: tuple[Row, ...]

    @property
    def main(self) -> Comparison:
        """The same with the main numbers alone."""
        kept = [index for index, key in enumerate(self.scores) if key in MAIN]

        def narrow(row: Row) -> Row:
            return replace(row, cells=tuple(row.cells[index] for index in kept))

        scores = tuple(self.scores[index] for index in kept)
        return replace(
            self,
            scores=scores,
            runs=tuple(map(narrow, self.runs)),
            means=tuple(map(narrow, self.means)),
        )


Together = Callable[[Sequence[RunRecord]], Mapping[str, float]]


def compare(records: Sequence[RunRecord], together: Together | None = None) -> Comparison:
    """`records` in their order; and for each configuration that finished with several seeds, the mean over them.

    `together` gives such runs further numbers, which they have only as a group. The best value of a column is marked, each of
    several that are equal; so is the best of the means. A number that is better neither high nor low has no best one, nor has one
    that only a single run has.
    """
    options = _differing([record.options for record in records])
    groups = [(group, together(group) if together else {}) for group in _repeated(records)]
    scores = _ordered(
        [
            *(key for record in records for key in record.scores or ()),
            *(key for _, more in groups for key in more),
        ]
    )
    runs = [
        Row(
            record.name,
            _values(record, options),
            _cells([record], scores),
            is_finished=record.scores is not None,
        )
        for record in records
    ]
    means = [_mean(group, more, options, scores) for group, more in groups]
    return Comparison(options, scores, _marked(runs, scores), _marked(means, scores))


def _differing(options: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """The keys whose values are not the same in all, in the order of their appearance, but the seed last."""
    keys = dict.fromkeys(key for each in options for key in each)
    found = [key for key in keys if len({each.get(key, ABSENT) for each in options}) > 1]
    return tuple(sorted(found, key=lambda key: key == "seed"))


def _ordered(keys: Iterable[str]) -> tuple[str, ...]:
    """The main numbers first, then those of the scorecard in its order, then the rest."""
    order = {key: place for place, key in enumerate(dict.fromkeys([*MAIN, *DIRECTIONS]))}
    return tuple(sorted(dict.fromkeys(keys), key=lambda key: order.get(key, len(order))))


def _repeated(records: Sequence[RunRecord]) -> list[list[RunRecord]]:
    """The finished runs that differ in nothing but the seed, where there are several of them."""
    groups = defaultdict(list)
    for record in records:
        if record.scores is not None:
            groups[
                frozenset(record.options.items() - {("seed", record.options.get("seed"))})
            ].append(record)
    return [
        group
        for group in groups.values()
        if len({record.options.get("seed") for record in group}) > 1
    ]


def _mean(
    group: Sequence[RunRecord],
    more: Mapping[str, float],
    options: Sequence[str],
    scores: Sequence[str],
) -> Row:
    seeds = ", ".join(record.options.get("seed", ABSENT) for record in group)
    shared = zip(options, _values(group[0], options), strict=True)
    values = tuple(seeds if key == "seed" else value for key, value in shared)
    found = zip(scores, _cells(group, scores), strict=True)
    cells = tuple(Cell(more[key]) if key in more else cell for key, cell in found)
    return Row(f"mean of {len(group)} like {group[0].name}", values, cells)


def _values(record: RunRecord, options: Sequence[str]) -> tuple[str, ...]:
    return tuple(record.options.get(key, ABSENT) for key in options)


def _cells(group: Sequence[RunRecord], scores: Sequence[str]) -> tuple[Cell, ...]:
    """For each score the mean over those of `group` that have it; the deviation is that of a sample."""
    found = [
        [record.scores[key] for record in group if record.scores and key in record.scores]
        for key in scores
    ]
    return tuple(
        Cell(
            statistics.fmean(values) if values else None,
            statistics.stdev(values) if len(values) > 1 else None,
        )
        for values in found
    )


def _marked(rows: Sequence[Row], scores: Sequence[str]) -> tuple[Row, ...]:
    best = [
        _best([row.cells[place].value for row in rows], DIRECTIONS.get(key))
        for place, key in enumerate(scores)
    ]

    def marked(row: Row) -> Row:
        pairs = zip(row.cells, best, strict=True)
        return replace(
            row,
            cells=tuple(
                replace(cell, is_best=top is not None and cell.value == top) for cell, top in pairs
            ),
        )

    return tuple(map(marked, rows))


def _best(values: Sequence[float | None], direction: Direction | None) -> float | None:
    there = [value for value in values if value is not None]
    if direction is None or len(set(there)) < 2:  # one number, or all alike: none is best
        return None
    return max(there) if direction == "up" else min(there)


def _told(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, default=str).replace('"', "")
    )
