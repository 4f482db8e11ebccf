"""Weights of the objective's terms over training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from interp_by_design.visualize.bars import said
from interp_by_design.visualize.frame import BODY, SMALL, Frame, Words, label, line, rules
from interp_by_design.visualize.plot import Scale
from interp_by_design.visualize.theme import LIGHT, Theme
from interp_by_design.visualize.words import number, shortened

NAMES = 1.6  # inches of the column of names
WIDE = 5.0  # inches of a lane
LANE = 0.5  # inches from lane to lane


def schedule_curves(
    factors_by_epoch: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    theme: Theme = LIGHT,
    over: str = "",
) -> Figure:
    """Draw a lane per term, filled up to its factor; curves that coincide would hide one another.

    Args:
        factors_by_epoch: by term, epochs (real numbers, ascending; 1 is the start of the first) and
            the factors there.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure.
    """
    text = (
        "The factor of each term of the objective by epoch; "
        "the height of a lane is the term's own largest factor."
    )
    frame = Frame(
        NAMES + WIDE + 0.3,
        LANE * max(1, len(factors_by_epoch)) + 0.45,
        Words("When each term enters", said(text, over)),
        theme,
    )
    epochs = np.array(
        [epoch for found, _ in factors_by_epoch.values() for epoch in found], dtype=float
    )
    across = Scale.of(
        epochs,
        n=8,
        log=False,
        bounds=(float(epochs.min()), float(epochs.max())) if epochs.size else (1.0, 2.0),
    )
    bottom = LANE * max(1, len(factors_by_epoch))
    for i, (term, (found, factors)) in enumerate(factors_by_epoch.items()):
        _lane(frame, LANE * i, term, across, found, factors)
    for tick, words in across.ticks:
        frame.text(
            NAMES + WIDE * across.at(tick),
            bottom + 0.04,
            words,
            size=SMALL,
            colour=theme.muted,
            side="center",
        )
    frame.text(
        NAMES + WIDE / 2, bottom + 0.22, "epoch", size=SMALL, colour=theme.muted, side="center"
    )
    return frame.figure


def _lane(
    frame: Frame,
    y: float,
    term: str,
    across: Scale,
    epochs: Sequence[float],
    factors: Sequence[float],
) -> None:
    """Draw a term: its name, the filled curve, and numbers where the factor becomes constant."""
    theme, tall = frame.theme, LANE * 0.72
    frame.text(
        NAMES - 0.12,
        y + LANE - tall / 2 - line(BODY) / 2,
        shortened(term, NAMES - 0.15, BODY),
        side="right",
    )
    axes = frame.axes(NAMES, y + LANE - tall, WIDE, tall)
    axes.set_autoscale_on(False)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    top = max([*(abs(factor) for factor in factors), 0.0]) or 1.0
    x, heights = [across.at(epoch) for epoch in epochs], [factor / top for factor in factors]
    _filled_curve(axes, x, heights, theme.categories[0])
    rules(axes, [[(0, 0), (1, 0)]], theme.muted)
    for at, factor in settled(epochs, factors):
        height = factor / top  # the number is below the line where it fits, else above
        label(
            axes,
            across.at(at) + 0.01,
            height - 0.3 if height > 0.6 else height + 0.25,
            number(factor),
            colour=theme.ink,
            ha="left",
        )


def _filled_curve(axes: Axes, x: Sequence[float], y: Sequence[float], colour: str) -> None:
    axes.fill_between(x, y, 0, facecolor=colour, alpha=0.35, linewidth=0, zorder=1)
    axes.plot(
        x,
        y,
        color=colour,
        linewidth=1.4,
        linestyle="solid",
        marker="None",
        zorder=2,
        clip_on=False,
    )


def settled(epochs: Sequence[float], factors: Sequence[float]) -> list[tuple[float, float]]:
    """Return where a factor becomes constant, for one step at least; ramps are skipped.

    Args:
        epochs: ascending.
        factors: one per epoch.

    Returns:
        The first epoch of each constant stretch, and the factor.

    >>> settled([1, 2, 3, 4], [0.0, 0.0, 0.5, 1.0])
    [(1, 0.0), (4, 1.0)]
    """
    found: list[tuple[float, float]] = []
    for i, (epoch, factor) in enumerate(zip(epochs, factors, strict=True)):
        stays = i + 1 == len(factors) or factors[i + 1] == factor
        if stays and (not found or found[-1][1] != factor):
            found.append((epoch, factor))
    return found
