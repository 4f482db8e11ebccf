"""Curves of a run as charts: scores over τ and values logged during training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from interp_by_design.metrics import SCORES
from interp_by_design.report.history import History
from interp_by_design.report.score_text import scores_of

SPLITS = ("val", "test")
MEANINGS = {score.key: score.meaning for score in SCORES}
AXIS = "τ (an attribute is shown where |r| > 1/τ)"
MAX_POINTS = 300  # of a curve: more than a screen can resolve
COUNTS = ("conciseness", "conciseness_abs")  # curves that count attributes; the others are shares


@final
@dataclass(frozen=True)
class Curve:
    """A line of a chart.

    Args:
        name: Name in the legend.
        x: Horizontal positions, [n].
        y: Values, [n].
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@final
@dataclass(frozen=True)
class Chart:
    """Lines over a common axis.

    Args:
        title: Title.
        meaning: One sentence about what the lines are.
        x_title: Title of the horizontal axis.
        y_title: Title of the vertical axis.
        curves: The lines.
    """

    title: str
    meaning: str
    x_title: str
    y_title: str
    curves: tuple[Curve, ...]


def charts(scores: Mapping[str, float], history: History) -> tuple[Chart, ...]:
    """Return curves over τ of the last split with scores, then curves of training.

    Args:
        scores: Scores by keys such as `test/conciseness@5`.
        history: Values logged during training.

    Returns:
        The charts.
    """
    return (*_tau_charts(scores), *_history_charts(history))


def _tau_charts(scores: Mapping[str, float]) -> Iterator[Chart]:
    with_curves = [split for split in SPLITS if any("@" in key for key in scores_of(scores, split))]
    if not with_curves:
        return
    split = with_curves[-1]
    points: dict[str, dict[float, float]] = {}
    for key, value in scores_of(scores, split).items():
        name, _, tau = key.partition("@")
        if tau:
            points.setdefault(name, {})[float(tau)] = value
    curves = {
        name: Curve(name, *zip(*sorted(found.items()), strict=True))
        for name, found in points.items()
    }
    counts = tuple(curves.pop(name) for name in COUNTS if name in curves)
    if counts:
        yield Chart(
            f"Attributes shown by an explanation, on {split}",
            "Mean number of attributes with r > 1/τ (conciseness) and with |r| > 1/τ "
            "(conciseness_abs, which includes evidence against).",
            AXIS,
            "attributes",
            counts,
        )
    if curves:
        yield Chart(
            f"Sufficiency of the shown attributes, on {split}",
            "sufficiency: how often the shown attributes alone decide as f does. "
            "left_out: share of the evidence that is not shown.",
            AXIS,
            "share",
            tuple(curves.values()),
        )


def _history_charts(history: History) -> Iterator[Chart]:
    curves = {key: _thinned(key, *history[key]) for key in history}
    losses = tuple(curve for key, curve in curves.items() if key.startswith("train/"))
    if losses:
        meaning = "Each term before its weight; loss is their weighted sum."
        yield Chart("Losses during training", meaning, "step", "loss", losses)
    agreement = [
        key
        for key in curves
        if key.startswith("val/") and any(word in key for word in ("accuracy", "fidelity"))
    ]
    if agreement:
        lines = tuple(curves[key] for key in agreement)
        title = "Accuracy and fidelity during training"
        yield Chart(title, "On validation.", "step", "share", lines)
    for key, curve in curves.items():
        if key.startswith("val/") and key not in agreement:
            meaning = MEANINGS.get(key.removeprefix("val/"), "")
            on = f"On validation: {meaning}." if meaning else "On validation."
            yield Chart(f"{curve.name} during training", on, "step", "", (curve,))


def _thinned(key: str, steps: Sequence[int], values: Sequence[float]) -> Curve:
    """Every k-th point of a long curve, the last point among them."""
    every = -(-len(steps) // MAX_POINTS)
    first = (len(steps) - 1) % every
    rounded = tuple(float(f"{value:.5g}") for value in values[first::every])
    return Curve(key.partition("/")[2] or key, tuple(steps[first::every]), rounded)
