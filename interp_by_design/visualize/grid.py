"""Matrix of coloured cells with names, and a colour bar."""

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
    """The place and the colours of a matrix in a frame.

    Args:
        frame: the figure.
        x: left edge, inches.
        y: top edge, inches.
        cell: width and height of a cell, inches.
        colours: the colour map.
        span: the values of its first and last colour.
    """

    frame: Frame
    x: float
    y: float
    cell: tuple[float, float]
    colours: Colormap
    span: tuple[float, float]

    def draw(self, values: NDArray[Any]) -> Axes:
        """Draw the cells.

        Args:
            values: [rows, columns]; NaN leaves a cell empty.

        Returns:
            The axes, whose data are columns and rows, from 0.
        """
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
        """Return the colours of values.

        Args:
            values: [...].

        Returns:
            [..., 4], transparent for NaN.
        """
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
        """Draw texts in the middle of cells, in the ink that contrasts best.

        Args:
            axes: the axes of the matrix.
            values: [rows, columns], the drawn values.
            texts: row, column and words each.
            size: points.
        """
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
        """Draw a sign in the middle of cells; faster than text.

        Args:
            axes: the axes of the matrix.
            values: [rows, columns], the drawn values.
            chosen: [rows, columns], which cells.
            sign: the marker.
        """
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
        """Draw names to the left of the rows.

        Args:
            names: one per row.
            inches: the width to which they are shortened.
            size: points.
        """
        for row, name in enumerate(names):
            top = self.y + self.cell[1] * (row + 0.5) - line(size) / 2
            self.frame.text(
                self.x - 0.07, top, shortened(name, inches - 0.07, size), size=size, side="right"
            )

    def column_names(self, names: Sequence[str], inches: float, size: float) -> None:
        """Draw names above the columns: horizontally if all fit, else upright.

        Args:
            names: one per column.
            inches: the length to which upright names are shortened.
            size: points.
        """
        upright = any(width(name, size) > self.cell[0] - 0.04 for name in names)
        for column, name in enumerate(names):
            x = self.x + self.cell[0] * (column + 0.5)
            if upright:
                self.frame.upright(x, self.y - 0.05, shortened(name, inches - 0.05, size), size)
            else:
                self.frame.text(x, self.y - line(size) - 0.02, name, size, "center")

    def lines(self, axes: Axes, rows: int, columns: int) -> None:
        """Draw thin lines between the cells.

        Args:
            axes: the axes of the matrix.
            rows: how many.
            columns: how many.
        """
        across = [[(0, at), (columns, at)] for at in range(rows + 1)]
        rules(
            axes,
            [*across, *([(at, 0), (at, rows)] for at in range(columns + 1))],
            self.frame.theme.faint,
            0.5,
        )

    def bar(self, x: float, y: float, wide: float, ends: tuple[str, str, str]) -> None:
        """Draw the colour bar.

        Args:
            x: left edge, inches.
            y: top edge, inches.
            wide: inches.
            ends: words at its left end, middle and right end.
        """
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
    """Return the width of the widest of some names.

    Args:
        names: the names.
        size: points.
        most: an upper bound, inches.

    Returns:
        Inches.
    """
    return min(most, max((width(name, size) for name in names), default=0.0) + 0.08)


def letters(cell: float) -> float:
    """Return the size of letters for which one line fits in a cell.

    Args:
        cell: height of the cell, inches.

    Returns:
        Points, 6 to 9.
    """
    return min(9.0, max(6.0, 0.8 * cell * POINTS))
