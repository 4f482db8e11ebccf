"""A matrix as coloured cells with names beside it, and a bar for what the colours mean. Knows nothing of what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from numpy.typing import NDArray

from interp_by_design.visualize.frame import SMALL, Frame, Side, label, line, rules
from interp_by_design.visualize.words import POINTS, shortened, width

Sign = Literal["+", "_", "x"]

BAR = 0.12  # inches
SIDES: tuple[Side, Side, Side] = ("left", "center", "right")


@final
@dataclass(frozen=True)
class Grid:
    """Where a matrix lies in a frame: its top left at (x, y), `cell` inches wide and high, and its colours over low to high."""

    frame: Frame
    x: float
    y: float
    cell: tuple[float, float]
    colours: Colormap
    span: tuple[float, float]

    def draw(self, values: NDArray[Any]) -> Axes:
        """The matrix [rows, columns] as cells; those that are NaN stay empty. The axes' data are columns and rows, from 0."""
        rows, columns = values.shape
        axes = self.frame.axes(self.x, self.y, columns * self.cell[0], rows * self.cell[1])
        axes.set_autoscale_on(False)
        axes.set_xlim(0, columns)
        axes.set_ylim(rows, 0)
        shades = self.shade(values)
        axes.imshow(
            shades,
            extent=(0, columns, rows, 0),
            aspect="auto",
            origin="upper",
            interpolation="nearest",
            resample=True,
            zorder=0,
        )
        return axes

    def shade(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The colours [..., 4] of values; transparent for NaN."""
        low, high = self.span
        shades: NDArray[np.float64] = self.colours(
            np.nan_to_num((values - low) / ((high - low) or 1.0)).clip(0, 1)
        )
        shades[np.isnan(values)] = 0
        return shades

    def numbers(
        self,
        axes: Axes,
        values: NDArray[Any],
        texts: Sequence[tuple[int, int, str]],
        size: float = SMALL,
    ) -> None:
        """Texts (row, column, words) in the middle of their cells, in the ink that reads best there."""
        if not texts:
            return
        theme, where = self.frame.theme, np.array([(row, column) for row, column, _ in texts])
        found = values[where[:, 0], where[:, 1]]
        inks = theme.ink_on(self.shade(found))
        for (row, column, words), ink, value in zip(texts, inks, found, strict=True):
            label(
                axes,
                column + 0.5,
                row + 0.5,
                words,
                size=size,
                colour=theme.ink if np.isnan(value) else ink,
            )

    def marks(
        self, axes: Axes, values: NDArray[Any], chosen: NDArray[np.bool_], sign: Sign
    ) -> None:
        """A sign in the middle of each of the chosen cells; faster to draw than text."""
        where = np.argwhere(chosen)
        if not len(where):
            return
        found = values[chosen]
        inks = np.array(self.frame.theme.ink_on(self.shade(found)))
        inks[np.isnan(found)] = self.frame.theme.ink
        for ink in dict.fromkeys(inks.tolist()):
            y, x = (where[inks == ink] + 0.5).T
            axes.plot(
                x,
                y,
                linestyle="None",
                marker=sign,
                markersize=5.0,
                markeredgecolor=ink,
                markeredgewidth=1.0,
                zorder=3,
            )

    def row_names(self, names: Sequence[str], inches: float, size: float) -> None:
        """Names to the left of the rows, cut to `inches`."""
        for row, name in enumerate(names):
            top = self.y + self.cell[1] * (row + 0.5) - line(size) / 2
            self.frame.text(
                self.x - 0.07, top, shortened(name, inches - 0.07, size), size=size, side="right"
            )

    def column_names(self, names: Sequence[str], inches: float, size: float) -> None:
        """Names above the columns: as they stand where they all fit, else upright, cut to `inches`."""
        upright = any(width(name, size) > self.cell[0] - 0.04 for name in names)
        for column, name in enumerate(names):
            x = self.x + self.cell[0] * (column + 0.5)
            if upright:
                self.frame.upright(x, self.y - 0.05, shortened(name, inches - 0.05, size), size)
            else:
                self.frame.text(x, self.y - line(size) - 0.02, name, size, "center")

    def lines(self, axes: Axes, rows: int, columns: int) -> None:
        """Thin lines between the cells, along which the eye finds the names."""
        across = [[(0, at), (columns, at)] for at in range(rows + 1)]
        rules(
            axes,
            [*across, *([(at, 0), (at, rows)] for at in range(columns + 1))],
            self.frame.theme.faint,
            0.5,
        )

    def bar(self, x: float, y: float, wide: float, ends: tuple[str, str, str]) -> None:
        """What the colours mean, as a bar with words at its left end, its middle and its right end."""
        axes = self.frame.axes(x, y, wide, BAR)
        axes.set_autoscale_on(False)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        shades = self.colours(np.linspace(0, 1, 128))[None]
        axes.imshow(
            shades,
            extent=(0, 1, 0, 1),
            aspect="auto",
            origin="upper",
            interpolation="nearest",
            resample=True,
        )
        for place, words, side in zip((0.0, 0.5, 1.0), ends, SIDES, strict=True):
            self.frame.text(
                x + wide * place,
                y + BAR + 0.03,
                words,
                size=SMALL,
                colour=self.frame.theme.muted,
                side=side,
            )


def names_width(names: Sequence[str], size: float, most: float) -> float:
    """The inches that the widest of the names takes, and no more than `most`."""
    return min(most, max((width(name, size) for name in names), default=0.0) + 0.08)


def letters(cell: float) -> float:
    """The size of letters, in points, of which lines fit one under another in cells of so many inches: 6 to 9."""
    return min(9.0, max(6.0, 0.8 * cell * POINTS))
