"""Matrix of the decisions of f and g."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from interp_by_design.visualize.bars import said
from interp_by_design.visualize.frame import BODY, SMALL, Frame, Words, label, line
from interp_by_design.visualize.grid import BAR, Grid, letters, names_width
from interp_by_design.visualize.theme import LIGHT, Theme
from interp_by_design.visualize.words import class_label, count, percent

MAX_CLASSES = 30  # more counts cannot be read
NAMES = 1.8  # inches, at most
AXIS = 0.25  # inches for the name of an axis


def confusion(
    confusion: Int[Tensor, "classes classes"],
    class_names: Sequence[str],
    theme: Theme = LIGHT,
    over: str = "",
) -> Figure:
    """Draw how often each pair of decisions of f (rows) and g (columns) occurs.

    Disagreements are coloured. Of more than `MAX_CLASSES` classes, those of the most frequent
    disagreements are shown, and the caption counts the others.

    Args:
        confusion: [C, C], counts of images.
        class_names: the name of each class.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure.
    """
    counts = confusion.detach().cpu().numpy().astype(np.int64)
    classes = chosen_classes(counts)
    seen = counts[np.ix_(classes, classes)]
    differing = np.where(
        np.eye(len(classes), dtype=bool) | (seen == 0), np.nan, seen.astype(np.float64)
    )
    most = float(np.nanmax(differing, initial=1.0))
    names = [class_label(c, class_names, NAMES, 9) for c in classes]
    cell = (0.44, 0.3) if len(classes) <= 15 else (0.33, 0.22)
    left = AXIS + names_width(names, letters(cell[1]), NAMES)
    above = AXIS + max(0.25, names_width(names, letters(cell[0]), NAMES))
    wide, tall = left + cell[0] * len(classes), above + cell[1] * len(classes)
    words = Words(_title(counts), _caption(counts, classes, over))
    frame = Frame(
        max(5.5, wide), tall + (0.25 + BAR + line(SMALL) if most > 1 else 0.1), words, theme
    )
    grid = Grid(frame, left, above, cell, theme.magnitude_map(), (1.0, most))
    axes = grid.draw(differing)
    _agreements(grid, axes, seen)
    texts = [
        (int(r), int(c), _short(int(seen[r, c]))) for r, c in np.argwhere(~np.isnan(differing))
    ]
    grid.numbers(axes, differing, texts, 8 if cell[0] > 0.4 else 6.5)
    grid.row_names(names, left - AXIS, letters(cell[1]))
    grid.column_names(names, above - AXIS, letters(cell[0]))
    _axes(frame, left, above, wide, tall)
    if most > 1:
        grid.bar(
            left,
            tall + 0.15,
            min(3.0, frame.width - left),
            ("1 image", "", count(int(most), "image")),
        )
    return frame.figure


def chosen_classes(counts: NDArray[Any]) -> list[int]:
    """Return the classes to show.

    Args:
        counts: [C, C], counts of images by the decisions of f and g.

    Returns:
        All classes; of more than `MAX_CLASSES`, those of the most frequent disagreements, filled up
        with the most frequent classes. In ascending order.
    """
    n = len(counts)
    if n <= MAX_CLASSES:
        return list(range(n))
    differing = counts * ~np.eye(n, dtype=bool)
    pairs = np.argsort(-differing, axis=None, kind="stable")[: int((differing > 0).sum())]
    frequent = np.argsort(-(counts.sum(axis=0) + counts.sum(axis=1)), kind="stable")
    wanted = [
        int(c) for pair in pairs[: MAX_CLASSES * MAX_CLASSES] for c in divmod(int(pair), n)
    ] + [int(c) for c in frequent]
    return sorted(list(dict.fromkeys(wanted))[:MAX_CLASSES])


def _agreements(grid: Grid, axes: Axes, seen: NDArray[Any]) -> None:
    """The diagonal in grey, with its counts; thin lines between the cells."""
    theme, n = grid.frame.theme, len(seen)
    size = 8 if grid.cell[0] > 0.4 else 6.5
    for c in range(n):
        axes.axvspan(
            c,
            c + 1,
            1 - (c + 1) / n,
            1 - c / n,
            facecolor=theme.faint,
            edgecolor="none",
            linewidth=0,
            zorder=0.2,
        )
        if seen[c, c]:
            label(axes, c + 0.5, c + 0.5, _short(int(seen[c, c])), size=size, colour=theme.ink)
    grid.lines(axes, n, n)


def _axes(frame: Frame, left: float, above: float, wide: float, tall: float) -> None:
    """What rows and columns are."""
    muted = frame.theme.muted
    frame.text((left + wide) / 2, 0, "g decides", size=BODY, colour=muted, side="center")
    frame.upright(line(BODY) / 2, (above + tall) / 2, "f decides", side="center", colour=muted)


def _short(number: int) -> str:
    """A count in at most four characters."""
    if number < 10_000:
        return str(number)
    return f"{number / 1000:.0f}k" if number < 1_000_000 else f"{number / 1_000_000:.0f}M"


def _title(counts: NDArray[Any]) -> str:
    total, agreed = int(counts.sum()), int(np.trace(counts))
    if not total:
        return "No image was decided"
    return (
        f"f and g differ on {count(total - agreed, 'image')} of {count(total)} "
        f"({percent((total - agreed) / total)})"
    )


def _caption(counts: NDArray[Any], classes: list[int], over: str) -> str:
    n, seen = len(counts), counts[np.ix_(classes, classes)]
    text = (
        "Number of images by what f decides (row) and what g decides (column). Grey: they agree. "
        "Colour: they differ."
    )
    if n > len(classes):
        differing = int(counts.sum() - np.trace(counts))
        left_out = differing - int(seen.sum() - np.trace(seen))
        text += f" {count(n - len(classes), 'class')} of {count(n)} left out,"
        text += f" with {count(left_out)} of {count(differing, 'disagreement')}."
    return said(text, over)
