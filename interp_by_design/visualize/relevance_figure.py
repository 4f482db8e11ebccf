"""The map of global relevance: which attributes speak for which classes. Does not compute relevance."""

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

ROWS, COLUMNS = 50, 50  # of a map whose names can be read
NAMES = 1.7  # inches at most
WIDE = 0.42  # inches of a cell that has room for a number
LEAST = 5.5  # inches of width, for title and caption


@final
@dataclass(frozen=True, eq=False)
class Chosen:
    """The classes and attributes that a map shows, in its order, their relevance [rows, columns], and which pairs it marks."""

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
    """Classes by attributes, coloured by global relevance; + marks the pairs with r > 1/τ, − those with r < -1/τ.

    Classes keep their order, attributes are sorted by the class that they speak for most, so that the pairs run down the map. Of
    many, the strongest attributes are shown with the classes that they speak for, and the caption says how many are left out.
    Raises UserError unless tau > 1.
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
    frame = Frame(max(LEAST, wide), tall + 0.15 + BAR + line(SMALL) + 0.1, words, theme)
    grid = Grid(frame, left, above, cell, theme.signed_map(), (-1.0, 1.0))
    axes = grid.draw(chosen.relevance)
    grid.lines(axes, *chosen.relevance.shape)
    _mark(grid, axes, chosen)
    grid.row_names(rows, left, letters(cell[1]))
    grid.column_names(columns, above, letters(cell[0]))
    grid.bar(left, tall + 0.15, min(3.0, frame.width - left), (f"{MINUS}1 against", "0", "+1 for"))
    return frame.figure


def chosen_pairs(explanation: GlobalExplanation, tau: float) -> Chosen:
    """The attributes by their largest |r|, and round by round the next class of each, until the map is full; then in order."""
    relevance = explanation.relevance.detach().double().cpu().numpy()
    seen = [c for c in range(len(relevance)) if int(explanation.counts[c]) > 0] or list(
        range(len(relevance))
    )
    attributes = np.argsort(-np.abs(relevance[seen]).max(axis=0), kind="stable")[:COLUMNS]
    classes = np.sort(_strongest_classes(relevance[seen][:, attributes]))
    rows = np.array(seen)[classes]
    within = relevance[np.ix_(rows, attributes)]
    marked = shown(explanation.relevance, tau).cpu().numpy()[np.ix_(rows, attributes)]
    against, silent = ~(marked & (within > 0)).any(axis=0), ~marked.any(axis=0)
    size = np.where(
        against, np.abs(within), within
    )  # those that only speak against a class come after those that speak for one
    order = np.lexsort((-size.max(axis=0), size.argmax(axis=0), silent, against))
    return Chosen(
        [int(c) for c in rows],
        [int(j) for j in attributes[order]],
        within[:, order],
        marked[:, order],
    )


def _strongest_classes(relevance: NDArray[Any]) -> NDArray[np.intp]:
    """Rows of [classes, attributes]: all, or for each column in turn its next strongest, up to `ROWS`."""
    ranked = np.argsort(-np.abs(relevance), axis=0, kind="stable").ravel()
    _, first = np.unique(ranked, return_index=True)
    return ranked[np.sort(first)][:ROWS]


def _cell(rows: int, columns: int) -> tuple[float, float]:
    """Inches; numbers fit in where there are few."""
    wide = WIDE if columns <= 26 else 0.19
    tall = 0.24 if rows <= 26 else 0.17
    return wide, tall


def _mark(grid: Grid, axes: Axes, chosen: Chosen) -> None:
    """Pairs beyond 1/τ: by their relevance where there is room, else by its sign."""
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


def _caption(explanation: GlobalExplanation, chosen: Chosen, tau: float, over: str) -> str:
    n_classes, n_attributes = explanation.relevance.shape
    undecided = sum(int(held) == 0 for held in explanation.counts)
    text = (
        "Colour: global relevance r, the mean over the images that g decides as the class, "
        "relative to each image's strongest "
        f"attribute. Marked where |r| > 1/τ with τ = {tau:g}: + for the class, {MINUS} against it. "
        "Attributes are sorted by the class that they speak for most."
    )
    if n_attributes > len(chosen.attributes):
        text += f" Left out: {count(n_attributes - len(chosen.attributes), 'attribute')} of weaker relevance."
    if n_classes - undecided > len(chosen.classes):
        left_out = count(n_classes - undecided - len(chosen.classes), "class")
        text += (
            f" Left out: {left_out} for which the attributes shown speak less than for those shown."
        )
    if undecided:
        text += f" {count(undecided, 'class')} that g decides on no image {'has' if undecided == 1 else 'have'} no row."
    return said(text, over)
