"""Map of global relevance: classes by attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from interp_by_design.explain import GlobalExplanation
from interp_by_design.relevance import shown
from interp_by_design.terms import NAMELESS, AttributeNames
from interp_by_design.visualize.bars import said
from interp_by_design.visualize.frame import SMALL, Frame, Words, line
from interp_by_design.visualize.grid import BAR, Grid, letters, names_width
from interp_by_design.visualize.theme import LIGHT, Theme
from interp_by_design.visualize.words import MINUS, attribute_label, class_label, count, short

MAX_ROWS = 50  # more names cannot be read
MAX_COLUMNS = 50
NAMES = 1.7  # inches, at most
WIDE = 0.42  # inches of a cell that a number fits in
MIN_WIDTH = 5.5  # inches, for title and caption


@final
@dataclass(frozen=True, eq=False)
class MapContent:
    """What a map shows.

    Args:
        classes: its rows.
        attributes: its columns.
        relevance: [rows, columns].
        marked: [rows, columns], whether |r| > 1/τ.
    """

    classes: list[int]
    attributes: list[int]
    relevance: NDArray[np.float64]
    marked: NDArray[np.bool_]


def relevance_map(
    global_explanation: GlobalExplanation,
    class_names: Sequence[str],
    names: AttributeNames = NAMELESS,
    tau: float = 5.0,
    theme: Theme = LIGHT,
    over: str = "",
) -> Figure:
    """Draw classes by attributes, coloured by global relevance.

    + marks pairs with r > 1/τ, − pairs with r < −1/τ. Attributes are sorted by the class that they
    speak for most. Of many, the strongest attributes and the classes that they speak for are shown,
    and the caption counts the others.

    Args:
        global_explanation: relevance by class and attribute.
        class_names: the name of each class.
        names: words for attributes that a person has named.
        tau: the threshold, above 1.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure.

    Raises:
        UserError: unless tau > 1.
    """
    chosen = chosen_pairs(global_explanation, tau)
    rows = [class_label(c, class_names, NAMES, 9) for c in chosen.classes]
    columns = [attribute_label(j, names, NAMES, 9) for j in chosen.attributes]
    cell = _cell(len(rows), len(columns))
    left, above = (
        names_width(rows, letters(cell[1]), NAMES),
        names_width(columns, letters(cell[0]), NAMES),
    )
    above = max(above, 0.25)
    wide, tall = left + cell[0] * len(columns), above + cell[1] * len(rows)
    words = Words(
        "Which attributes speak for which class", _caption(global_explanation, chosen, tau, over)
    )
    frame = Frame(max(MIN_WIDTH, wide), tall + 0.15 + BAR + line(SMALL) + 0.1, words, theme)
    grid = Grid(frame, left, above, cell, theme.signed_map(), (-1.0, 1.0))
    axes = grid.draw(chosen.relevance)
    grid.lines(axes, *chosen.relevance.shape)
    _mark(grid, axes, chosen)
    grid.row_names(rows, left, letters(cell[1]))
    grid.column_names(columns, above, letters(cell[0]))
    grid.bar(left, tall + 0.15, min(3.0, frame.width - left), (f"{MINUS}1 against", "0", "+1 for"))
    return frame.figure


def chosen_pairs(explanation: GlobalExplanation, tau: float) -> MapContent:
    """Return the classes and attributes to show.

    Args:
        explanation: relevance by class and attribute.
        tau: the threshold, above 1.

    Returns:
        The attributes with the largest |r|, and in turn the next strongest class of each, until the
        map is full; sorted for display.
    """
    relevance = explanation.relevance.detach().double().cpu().numpy()
    seen = [c for c in range(len(relevance)) if int(explanation.counts[c]) > 0] or list(
        range(len(relevance))
    )
    attributes = np.argsort(-np.abs(relevance[seen]).max(axis=0), kind="stable")[:MAX_COLUMNS]
    classes = np.sort(_strongest_classes(relevance[seen][:, attributes]))
    rows = np.array(seen)[classes]
    within = relevance[np.ix_(rows, attributes)]
    marked = shown(explanation.relevance, tau).cpu().numpy()[np.ix_(rows, attributes)]
    against, silent = ~(marked & (within > 0)).any(axis=0), ~marked.any(axis=0)
    # Attributes that only speak against classes come after those that speak for one.
    size = np.where(against, np.abs(within), within)
    order = np.lexsort((-size.max(axis=0), size.argmax(axis=0), silent, against))
    return MapContent(
        [int(c) for c in rows],
        [int(j) for j in attributes[order]],
        within[:, order],
        marked[:, order],
    )


def _strongest_classes(relevance: NDArray[Any]) -> NDArray[np.intp]:
    """Rows of [classes, attributes]: all, or of each column in turn the next strongest."""
    ranked = np.argsort(-np.abs(relevance), axis=0, kind="stable").ravel()
    _, first = np.unique(ranked, return_index=True)
    return ranked[np.sort(first)][:MAX_ROWS]


def _cell(rows: int, columns: int) -> tuple[float, float]:
    """Inches; numbers fit in where there are few."""
    wide = WIDE if columns <= 26 else 0.19
    tall = 0.24 if rows <= 26 else 0.17
    return wide, tall


def _mark(grid: Grid, axes: Axes, chosen: MapContent) -> None:
    """Pairs beyond 1/τ: by their relevance where the number fits, else by its sign."""
    relevance = chosen.relevance
    if grid.cell[0] < WIDE:
        grid.marks(axes, relevance, chosen.marked & (relevance > 0), "+")
        grid.marks(axes, relevance, chosen.marked & (relevance < 0), "_")
    else:
        grid.numbers(
            axes,
            relevance,
            [(int(c), int(j), short(relevance[c, j])) for c, j in np.argwhere(chosen.marked)],
        )


def _caption(explanation: GlobalExplanation, chosen: MapContent, tau: float, over: str) -> str:
    n_classes, n_attributes = explanation.relevance.shape
    undecided = sum(int(held) == 0 for held in explanation.counts)
    text = (
        "Colour: global relevance r, the mean over the images that g decides as the class, "
        "relative to each image's strongest "
        f"attribute. Marked where |r| > 1/τ with τ = {tau:g}: + for the class, {MINUS} against it. "
        "Attributes are sorted by the class that they speak for most."
    )
    if n_attributes > len(chosen.attributes):
        text += (
            f" Left out: {count(n_attributes - len(chosen.attributes), 'attribute')} of weaker "
            "relevance."
        )
    if n_classes - undecided > len(chosen.classes):
        left_out = count(n_classes - undecided - len(chosen.classes), "class")
        text += (
            f" Left out: {left_out} for which the attributes shown speak less than for those shown."
        )
    if undecided:
        text += (
            f" {count(undecided, 'class')} that g decides on no image "
            f"{'has' if undecided == 1 else 'have'} no row."
        )
    return said(text, over)
