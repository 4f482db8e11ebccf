"""A comparison of runs: the options in which they differ, and their numbers."""

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
# Options that do not change the result of a run.
IGNORED_OPTIONS = {"folder", "name", "resume", "debug", "logger", "data.workers"}
DIRECTIONS = {
    f"{split}/{score.key}": score.direction
    for split in ("test", "val")
    for score in (*SCORES, *SEED_SCORES)
}
ABSENT = "-"


@dataclass(frozen=True)
class RunRecord:
    """A run as its folder describes it.

    Args:
        name: Name of the run.
        config: Its configuration, by dotted keys.
        scores: Its scores; None while it is unfinished.
        folder: Its run folder.
    """

    name: str
    config: Mapping[str, Any]
    scores: Mapping[str, float] | None
    folder: Path | None = field(default=None, compare=False)

    @property
    def options(self) -> dict[str, str]:
        """Options that may distinguish it from other runs, as text."""
        return {
            key: _text(value)
            for key, value in self.config.items()
            if not {key, key.partition(".")[0]} & IGNORED_OPTIONS
        }


@dataclass(frozen=True)
class Cell:
    """A number of a run, or a mean over several runs.

    Args:
        value: The number; None where it is absent.
        deviation: Sample standard deviation of a mean; None for a single run.
        is_best: Whether it is the best of its column.
    """

    value: float | None
    deviation: float | None = None
    is_best: bool = False


@dataclass(frozen=True)
class Row:
    """A run, or several runs that differ in the seed alone.

    Args:
        name: Name of the run, or of the group.
        options: Values of the options in which runs differ.
        cells: The scores.
        is_finished: Whether the run is finished.
    """

    name: str
    options: tuple[str, ...]
    cells: tuple[Cell, ...]
    is_finished: bool = True


@dataclass(frozen=True)
class Comparison:
    """Several runs, with options and cells of each row in the order of `options` and `scores`.

    Args:
        options: Keys of the options in which runs differ.
        scores: Keys of the scores.
        runs: One row for each run.
        means: One row for each group of runs that differ in the seed alone.
    """

    options: tuple[str, ...]
    scores: tuple[str, ...]
    runs: tuple[Row, ...]
    means: tuple[Row, ...]

    @property
    def main(self) -> Comparison:
        """The comparison with the main numbers alone."""
        columns = [index for index, key in enumerate(self.scores) if key in MAIN]

        def narrow(row: Row) -> Row:
            return replace(row, cells=tuple(row.cells[index] for index in columns))

        scores = tuple(self.scores[index] for index in columns)
        return replace(
            self,
            scores=scores,
            runs=tuple(map(narrow, self.runs)),
            means=tuple(map(narrow, self.means)),
        )


GroupScores = Callable[[Sequence[RunRecord]], Mapping[str, float]]


def compare(records: Sequence[RunRecord], group_scores: GroupScores | None = None) -> Comparison:
    """Compare runs, and average over seeds those that differ in the seed alone.

    The best value of a column is marked, also among the means; of equal values each is. A score
    without a better direction has no best value, nor has one that a single run has.

    Args:
        records: The runs, in the order of the rows.
        group_scores: Function that computes further scores of a group of runs.

    Returns:
        The comparison.
    """
    options = _differing([record.options for record in records])
    groups = [(group, group_scores(group) if group_scores else {}) for group in _repeated(records)]
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
    """Keys whose values differ, in the order of their appearance, the seed last."""
    keys = dict.fromkeys(key for each in options for key in each)
    found = [key for key in keys if len({each.get(key, ABSENT) for each in options}) > 1]
    return tuple(sorted(found, key=lambda key: key == "seed"))


def _ordered(keys: Iterable[str]) -> tuple[str, ...]:
    """Main numbers first, then those of the scorecard in its order, then the rest."""
    order = {key: place for place, key in enumerate(dict.fromkeys([*MAIN, *DIRECTIONS]))}
    return tuple(sorted(dict.fromkeys(keys), key=lambda key: order.get(key, len(order))))


def _repeated(records: Sequence[RunRecord]) -> list[list[RunRecord]]:
    """Groups of finished runs that differ in the seed alone."""
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
    """Mean of each score over the runs that have it, with the sample standard deviation."""
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
    if direction is None or len(set(there)) < 2:  # a single number, or equal ones
        return None
    return max(there) if direction == "up" else min(there)


def _text(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, default=str).replace('"', "")
    )
