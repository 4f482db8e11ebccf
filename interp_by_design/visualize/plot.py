"""Panel of curves with scales, ticks and a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray

from interp_by_design.visualize.frame import BODY, SMALL, Frame, line, rules
from interp_by_design.visualize.words import MINUS, shortened, width

DASHES: tuple[Any, ...] = ("solid", (0, (4, 1.6)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2)))
MARKERS = ("o", "s", "^", "D")
LEFT = 0.5  # inches for the vertical axis's numbers
BELOW = 0.4  # inches for the horizontal axis's numbers and name
ABOVE = 0.45  # inches for heading and legend
MAX_MARKED = 40  # points of a curve whose points are marked
MIN_LOG_RATIO = 100  # of the largest to the smallest value: from here on a scale is logarithmic


@final
@dataclass(frozen=True)
class Curve:
    """A line.

    Args:
        name: in the legend.
        x: positions.
        y: values; a non-finite one leaves a gap.
        style: the index of colour, dashes and marker.
        marked: whether points are marked.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0
    marked: bool = True


@final
@dataclass(frozen=True)
class Scale:
    """The range of an axis and its ticks.

    Args:
        low: its first value.
        high: its last value.
        log: whether it is logarithmic.
        ticks: values and their words.
    """

    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]

    def at(self, value: float) -> float:
        """Return the position of a value.

        Args:
            value: positive on a logarithmic scale.

        Returns:
            0 at `low`, 1 at `high`.
        """
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    @classmethod
    def of(
        cls,
        values: NDArray[Any],
        n: int = 5,
        log: bool | None = None,
        bounds: tuple[float | None, float | None] = (None, None),
    ) -> Scale:
        """Return a scale that fits some values.

        Args:
            values: those that are not finite are ignored; without any, the scale is 0 to 1.
            n: about how many ticks.
            log: whether it is logarithmic; None decides by the values.
            bounds: values that the scale reaches at least; None for no bound.

        Returns:
            The scale.
        """
        finite = values[np.isfinite(values)]
        known = [
            *(bound for bound in bounds if bound is not None),
            *([finite.min(), finite.max()] if finite.size else [0.0, 1.0]),
        ]
        low, high = float(min(known)), float(max(known))
        log = low > 0 and high > MIN_LOG_RATIO * low if log is None else log
        if log:
            low, high = low / 1.15, high * 1.15
            found = [float(tick) for tick in LogLocator(numticks=n).tick_values(low, high)]
        else:
            space = 0.05 * ((high - low) or abs(high) or 1.0)
            low, high = (
                edge if edge in bounds else edge + sign * space
                for edge, sign in ((low, -1), (high, 1))
            )
            found = [
                float(tick)
                for tick in MaxNLocator(n, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
            ]
        inside = [tick for tick in found if low - 1e-12 <= tick <= high + 1e-12]
        return cls(low, high, log, tuple(zip(inside, tick_words(inside), strict=True)))


@final
@dataclass(frozen=True)
class Panel:
    """The place of a panel in a frame.

    Args:
        frame: the figure.
        x: left edge of its heading, inches.
        y: top edge of its heading, inches.
        width: with everything around the axes, inches.
        height: the same.
    """

    frame: Frame
    x: float
    y: float
    width: float
    height: float

    def draw(
        self, heading: str, below: str, curves: Sequence[Curve], across: Scale, up: Scale
    ) -> Axes:
        """Draw curves with heading, scales and legend.

        Args:
            heading: above the axes.
            below: the name of the horizontal axis.
            curves: the lines.
            across: the horizontal scale.
            up: the vertical scale.

        Returns:
            The axes, whose data are 0 to 1 in both directions.
        """
        frame, theme = self.frame, self.frame.theme
        wide, tall = self.width - LEFT, self.height - ABOVE - BELOW
        axes = frame.axes(self.x + LEFT, self.y + ABOVE, wide, tall)
        axes.set_autoscale_on(False)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        frame.text(self.x, self.y, shortened(heading, self.width, BODY, bold=True), bold=True)
        for tick, words in up.ticks:
            place = self.y + ABOVE + tall * (1 - up.at(tick)) - line(SMALL) / 2
            frame.text(
                self.x + LEFT - 0.06, place, words, size=SMALL, colour=theme.muted, side="right"
            )
        for tick, words in across.ticks:
            place = self.x + LEFT + wide * across.at(tick)
            frame.text(
                place,
                self.y + ABOVE + tall + 0.04,
                words,
                size=SMALL,
                colour=theme.muted,
                side="center",
            )
        frame.text(
            self.x + LEFT + wide / 2,
            self.y + self.height - line(SMALL),
            below,
            size=SMALL,
            colour=theme.muted,
            side="center",
        )
        rules(axes, [[(0, up.at(tick)), (1, up.at(tick))] for tick, _ in up.ticks], theme.faint)
        rules(axes, [[(0, 0), (1, 0)], [(0, 0), (0, 1)]], theme.muted)
        for curve in curves:
            self._curve(axes, curve, across, up)
        self._legend(axes, curves)
        return axes

    def _curve(self, axes: Axes, curve: Curve, across: Scale, up: Scale) -> None:
        """Non-finite values, and non-positive ones on a logarithmic scale, leave a gap."""
        drawn = [
            (across.at(x), up.at(y) if math.isfinite(y) and (y > 0 or not up.log) else math.nan)
            for x, y in zip(curve.x, curve.y, strict=True)
        ]
        axes.plot([x for x, _ in drawn], [y for _, y in drawn], **self._look(curve), clip_on=False)

    def _look(self, curve: Curve) -> dict[str, Any]:
        """Colour, dashes and marker."""
        theme = self.frame.theme
        colour = theme.categories[curve.style % len(theme.categories)]
        marked = curve.marked and len(curve.x) <= MAX_MARKED
        return {
            "color": colour,
            "linewidth": 1.6,
            "linestyle": DASHES[curve.style % len(DASHES)],
            "marker": MARKERS[curve.style % len(MARKERS)] if marked else "None",
            "markersize": 4.0 if len(curve.x) <= MAX_MARKED / 2 else 2.5,
            "markerfacecolor": colour,
            "markeredgecolor": theme.page,
            "markeredgewidth": 0.5,
            "fillstyle": "full",
            "antialiased": True,
            "dash_capstyle": "butt",
            "solid_capstyle": "round",
            "zorder": 2,
        }

    def _legend(self, axes: Axes, curves: Sequence[Curve]) -> None:
        """Names next to samples of the lines, above the panel; one for curves that look alike."""
        frame, x, wide = self.frame, self.x + LEFT, self.width - LEFT
        y = self.y + line(BODY) + 0.01
        for curve in {curve.name: curve for curve in curves}.values():
            ends = [(at - self.x - LEFT) / wide for at in (x, x + 0.13, x + 0.26)]
            height = 1 + (self.y + ABOVE - y - line(SMALL) / 2) / (self.height - ABOVE - BELOW)
            axes.plot(ends, [height] * 3, **self._look(curve) | {"markevery": [1]}, clip_on=False)
            frame.text(x + 0.32, y, curve.name, size=SMALL, colour=frame.theme.ink)
            x += 0.32 + width(curve.name, SMALL) + 0.12


def tick_words(ticks: Sequence[float]) -> list[str]:
    """Write ticks in as few characters as distinguish them, none rounded to another value.

    Args:
        ticks: the values.

    Returns:
        The words.

    >>> tick_words([0.0, 0.25, -2.0]), tick_words([1000, 20000])
    (['0', '0.25', '−2'], ['1000', '20k'])
    >>> tick_words([1e-6, 1e-5]), tick_words([0.9975, 1.0])
    (['1e−6', '1e−5'], ['0.9975', '1'])
    """
    step = min(
        (abs(b - a) for a, b in pairwise(ticks)),
        default=max((abs(tick) for tick in ticks), default=0.0),
    )
    return [
        _tick(
            tick,
            next(
                n for n in (*range(1, 16), 17) if abs(float(f"{tick:.{n}g}") - tick) <= 1e-6 * step
            ),
        )
        for tick in ticks
    ]


def _tick(value: float, digits: int) -> str:
    """The value with so many significant digits."""
    size = abs(value)
    if size and not 1e-4 <= size < 1e12:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    power, letter = next(
        (
            found
            for found in ((1e9, "G"), (1e6, "M"), (1e3, "k"))
            if size >= found[0] and size >= 10_000
        ),
        (1.0, ""),
    )
    return f"{value / power:.{max(digits, 4)}g}{letter}".replace("-", MINUS)
