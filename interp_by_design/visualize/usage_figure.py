"""Bars of how often each attribute is active."""

from __future__ import annotations

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from interp_by_design.metrics import always_on_attributes, dead_attributes
from interp_by_design.terms import NAMELESS, AttributeNames
from interp_by_design.visualize.bars import said
from interp_by_design.visualize.frame import BODY, SMALL, Frame, Words, block, line, rules
from interp_by_design.visualize.theme import LIGHT, Theme
from interp_by_design.visualize.words import attribute_label, count, percent

MAX_ROWS = 40  # of a column
ROW = 0.19  # inches
# By the number of columns: inches of a column, and of its names.
WIDE = {1: (6.0, 1.9), 2: (3.6, 1.5), 3: (2.6, 1.1), 5: (2.1, 0.75)}
MAX_BARS = 5 * MAX_ROWS


def usage(
    active_share: Float[Tensor, "attributes"],
    names: AttributeNames = NAMELESS,
    theme: Theme = LIGHT,
    over: str = "",
) -> Figure:
    """Draw the share of images on which each attribute is active, the most used first.

    Dead and always-on attributes are hatched. Of more than `MAX_BARS`, the most and the least used
    are shown.

    Args:
        active_share: [J], 0..1.
        names: words for attributes that a person has named.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure.
    """
    order = active_share.argsort(descending=True, stable=True).tolist()
    shown = order if len(order) <= MAX_BARS else [*order[: MAX_BARS // 2], *order[-MAX_BARS // 2 :]]
    columns = next(n for n in WIDE if n * MAX_ROWS >= len(shown))
    length = -(-len(shown) // columns)
    wide, named = WIDE[columns]
    frame = Frame(
        max(5.5, wide * columns),
        ROW * max(1, length) + 0.1,
        Words(_title(active_share), _caption(active_share, shown, over)),
        theme,
    )
    for column in range(columns):
        _column(
            frame,
            wide * column,
            (wide - 0.2, named),
            shown[length * column : length * (column + 1)],
            active_share,
            names,
        )
    return frame.figure


def _column(
    frame: Frame,
    x: float,
    widths: tuple[float, float],
    attributes: list[int],
    share: Tensor,
    names: AttributeNames,
) -> None:
    """Bars with names to the left, and shares and remarks to the right."""
    if not attributes:
        return
    theme, (wide, named), most = frame.theme, widths, _scale(share)
    size = BODY if wide > 2.5 else SMALL
    bars = wide - named - (1.2 if wide > 2.5 else 0.6)  # inches; the rest is for the words
    axes = frame.axes(x + named, 0, bars, ROW * len(attributes))
    axes.set_autoscale_on(False)
    axes.set_xlim(0, most)
    axes.set_ylim(len(attributes), 0)
    rules(axes, [[(at, 0), (at, len(attributes))] for at in (0.0, most / 2, most)], theme.faint)
    remarks = [
        "dead" if gone else "always on" if always else ""
        for gone, always in zip(dead_attributes(share), always_on_attributes(share), strict=True)
    ]
    for i, j in enumerate(attributes):
        held, top = float(share[j]), ROW * (i + 0.5) - line(size) / 2
        colour, hatch = (theme.negative, theme.page) if remarks[j] else (theme.positive, None)
        block(axes, (0.0, i + 0.15, held, 0.7), colour, hatch)
        frame.text(
            x + named - 0.06,
            top,
            attribute_label(j, names, named - 0.08, size),
            size=size,
            side="right",
        )
        words = f"{percent(held)} {remarks[j]}" if wide > 2.5 else remarks[j]
        if words:
            frame.text(x + named + bars * held / most + 0.06, top, words, size=size)


def _scale(share: Tensor) -> float:
    """A round share that none exceeds."""
    return next((top for top in (0.05, 0.1, 0.2, 0.5) if float(share.max()) <= top), 1.0)


def _title(share: Tensor) -> str:
    n_dead, n_always = int(dead_attributes(share).sum()), int(always_on_attributes(share).sum())
    return (
        f"How often attributes are active: {count(n_dead)} of {len(share)} dead, {count(n_always)} "
        "always on"
    )


def _caption(share: Tensor, shown: list[int], over: str) -> str:
    text = (
        "Share of the images on which an attribute is active, the most used first; "
        f"lines at {percent(_scale(share) / 2)} "
        f"and {percent(_scale(share))}. "
        "Dead: on less than 0.1 %; always on (hatched): on more than 99 %."
    )
    if len(shown) < len(share):
        text += f" {count(len(share) - len(shown), 'attribute')} in between left out."
    return said(text, over)
