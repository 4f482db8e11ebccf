"""Correlation of each attribute with its earlier self, over training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from interp_by_design.terms import NAMELESS, AttributeNames
from interp_by_design.visualize.bars import said
from interp_by_design.visualize.frame import SMALL, Frame, Words, line
from interp_by_design.visualize.grid import BAR, Grid, letters, names_width
from interp_by_design.visualize.theme import LIGHT, Theme
from interp_by_design.visualize.words import MINUS, attribute_label, count, short

MAX_ATTRIBUTES = 40  # more names cannot be read
MAX_INTERVALS = 60  # more cannot be distinguished
STEADY = 0.9  # correlation; a cell below it shows its number, where that fits
LOST = 0.5  # correlation; a cell below it shows a dash, where no number fits
WIDE = 0.42  # inches of a cell that a number fits in
NAMES = 1.7  # inches, at most


def drift(
    epochs: Sequence[int],
    correlations: Float[Tensor, "epochs attributes"],
    names: AttributeNames = NAMELESS,
    theme: Theme = LIGHT,
    over: str = "",
) -> Figure:
    """Draw attributes by epochs, coloured by the correlation of φ_j with itself an interval ago.

    The least steady attributes come first. At most `MAX_ATTRIBUTES` of them and the last
    `MAX_INTERVALS` epochs are shown.

    Args:
        epochs: [E], the epochs.
        correlations: [E, J], NaN where there is none, as for an attribute that is never active.
        names: words for attributes that a person has named.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure.
    """
    values = correlations.detach().double().cpu().numpy().T[:, -MAX_INTERVALS:]
    shown = _least_steady(values)
    labels = [attribute_label(j, names, NAMES, 9) for j in shown]
    columns = [str(epoch) for epoch in list(epochs)[-MAX_INTERVALS:]]
    cell = (WIDE, 0.2) if len(columns) <= 18 else (0.16, 0.2)
    left, above = names_width(labels, letters(cell[1]), NAMES), 0.45
    wide, tall = cell[0] * len(columns), cell[1] * len(shown)
    words = Words(_title(values), _caption(values, shown, len(epochs) - len(columns), over))
    frame = Frame(
        max(5.5, left + wide), above + tall + 0.15 + BAR + line(SMALL) + 0.1, words, theme
    )
    grid = Grid(frame, left, above, cell, theme.signed_map(), (-1.0, 1.0))
    if shown and columns:
        _draw(grid, values[shown], labels, columns)
    grid.bar(
        left, above + tall + 0.15, min(3.0, frame.width - left), (f"{MINUS}1", "0", "+1 unchanged")
    )
    return frame.figure


def _draw(grid: Grid, values: NDArray[np.float64], labels: list[str], columns: list[str]) -> None:
    theme, frame = grid.frame.theme, grid.frame
    axes = grid.draw(values)
    grid.row_names(labels, grid.x, letters(grid.cell[1]))
    every = max(1, -(-len(columns) // 18)) if grid.cell[0] < 0.4 else 1
    grid.column_names(
        [name if i % every == 0 else "" for i, name in enumerate(columns)], 1.0, SMALL
    )
    frame.text(grid.x, 0.0, "epoch", size=SMALL, colour=theme.muted)
    if grid.cell[0] < WIDE:
        grid.marks(axes, values, values < LOST, "_")
    else:
        grid.numbers(
            axes,
            values,
            [(int(j), int(e), short(values[j, e])) for j, e in np.argwhere(values < STEADY)],
            7.5,
        )
    grid.marks(axes, values, np.isnan(values), "x")


def _least_steady(values: NDArray[np.float64]) -> list[int]:
    """Attributes by mean correlation, the lowest first; those without any come last."""
    known = ~np.isnan(values)
    means = np.where(known, values, 0.0).sum(axis=1) / np.maximum(1, known.sum(axis=1))
    means[~known.any(axis=1)] = np.inf
    return [int(j) for j in np.argsort(means, kind="stable")[:MAX_ATTRIBUTES]]


def _title(values: NDArray[np.float64]) -> str:
    last = values[:, -1] if values.shape[1] else np.full(len(values), np.nan)
    if np.isnan(last).all():
        return "How steady the attributes are"
    steady = int((last >= STEADY).sum())
    return (
        f"How steady the attributes are: in the last interval, {steady} of {len(last)} correlate "
        "by 0.9 or more"
    )


def _caption(values: NDArray[np.float64], shown: list[int], before: int, over: str) -> str:
    text = (
        "Correlation of each attribute with itself an interval before, over the same images; "
        "the least steady first. "
        "Marked by a number: below 0.9, or where it does not fit by a dash: below 0.5; "
        "by a cross where there is none."
    )
    if len(shown) < len(values):
        text += f" Left out: {count(len(values) - len(shown), 'steadier attribute')}."
    if before > 0:
        text += f" Left out: the first {count(before, 'interval')}."
    return said(text, over)
