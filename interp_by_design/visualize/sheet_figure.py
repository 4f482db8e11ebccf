"""Sheet of one attribute: what activates it, maximisation, heat maps, and the decoder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from interp_by_design.terms import NAMELESS, TAU, AttributeNames
from interp_by_design.visualize.bars import bar, said
from interp_by_design.visualize.frame import BODY, SMALL, TITLE, Frame, Words, label, line, rules
from interp_by_design.visualize.theme import LIGHT, Theme
from interp_by_design.visualize.tiles import (
    Picture,
    draw_picture,
    hottest,
    outlined,
    overlaid,
    picture,
)
from interp_by_design.visualize.words import (
    MINUS,
    attribute_label,
    change,
    class_label,
    number,
    percent,
    signed,
)

if TYPE_CHECKING:  # it imports captum, which takes a second and is not needed to draw
    from interp_by_design.explain import AttributeSheet

Row = tuple[str, list[Picture], list[str]]  # heading, pictures, and the words below each

HEADINGS = 1.15  # inches of the column of row names
NAMES = 1.3  # inches of the column of class names
BARS = 1.6  # inches of the bars
TILE = 1.2  # inches of a picture
GAP = 0.1  # inches between two pictures
BELOW = line(SMALL) + 0.1  # inches below a picture, for its words
MAX_CLASSES = 10  # with a bar
CLASS = 0.22  # inches from class to class
NUMBER = 0.42  # inches of a number next to a bar
MIN_RELEVANCE = 0.05  # of a class with a bar
HEAT = matplotlib.colormaps["viridis"]


def attribute_sheet(
    sheet: AttributeSheet,
    class_names: Sequence[str],
    names: AttributeNames = NAMELESS,
    theme: Theme = LIGHT,
    over: str = "",
) -> Figure:
    """Draw the sheet of an attribute.

    Rows: the images that activate it most, the same images maximised, the same with heat maps, and
    the decoder's sweep; a row that the sheet lacks is left out. The outline holds the hottest tenth
    of an image, the pixels that the deletion check removes.

    Args:
        sheet: what was found for the attribute.
        class_names: the name of each class.
        names: words for attributes that a person has named.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure.
    """
    rows, tall = _rows(sheet, class_names), TILE + BELOW
    across = max((len(pictures) for _, pictures, _ in rows), default=0)
    wide = HEADINGS + (TILE + GAP) * max(2, across) + 0.2 + NAMES + BARS
    title = f"Attribute {attribute_label(sheet.attribute, names, wide - 1.5, TITLE)}"
    upper = tall * max(1, len(rows))  # inches over the sweep
    frame = Frame(
        wide, upper + tall * bool(len(sheet.sweep)), Words(title, _caption(sheet, over)), theme
    )
    canvas = frame.canvas()
    for i, row in enumerate(rows):
        _draw_row(frame, canvas, tall * i, row, TILE)
    if not rows:
        frame.text(0, 0.02, "No image activates this attribute.")
    if len(sheet.sweep):
        _draw_row(
            frame,
            canvas,
            upper,
            _sweep(sheet),
            min(TILE, (wide - HEADINGS) / len(sheet.sweep) - GAP),
        )
    _classes(frame, sheet, class_names, min(MAX_CLASSES, int((upper - 0.35) / CLASS)))
    return frame.figure


def _rows(sheet: AttributeSheet, class_names: Sequence[str]) -> list[Row]:
    """The rows of the sheet that hold images."""
    pictures = [picture(image) for image in sheet.images]
    if not pictures:
        return []
    under = [
        f"{class_label(int(c), class_names, TILE - 0.55, SMALL)}, φ {number(float(value))}"
        for c, value in zip(sheet.labels, sheet.values, strict=True)
    ]
    rows: list[Row] = [("activate it most", pictures, under)]
    if sheet.maximized is not None:
        values = (
            []
            if sheet.maximized_values is None
            else [f"φ {number(float(value))}" for value in sheet.maximized_values]
        )
        rows.append(("maximised", [picture(image) for image in sheet.maximized], values))
    maps = [heat.numpy() for heat in sheet.heatmaps]
    looks = [
        outlined(overlaid(base, heat, HEAT), hottest(heat))
        for base, heat in zip(pictures, maps, strict=True)
    ]
    rows.append(("where it looks", looks, [f"image {int(i)}" for i in sheet.indices]))
    return rows


def _sweep(sheet: AttributeSheet) -> Row:
    return (
        "decoded at",
        [picture(image) for image in sheet.sweep],
        [f"φ {number(float(level))}" for level in sheet.levels],
    )


def _draw_row(frame: Frame, canvas: Axes, y: float, row: Row, side: float) -> None:
    """A heading, the pictures side by side, and the words below them."""
    heading, pictures, under = row
    frame.paragraph(0, y + 0.02, heading, HEADINGS - 0.1, colour=frame.theme.muted)
    for i, drawn in enumerate(pictures):
        draw_picture(canvas, drawn, HEADINGS + (side + GAP) * i, y, side)
    for i, words in enumerate(under):
        frame.text(
            HEADINGS + (side + GAP) * i + side / 2,
            y + side + 0.02,
            words,
            size=SMALL,
            side="center",
        )


def _classes(frame: Frame, sheet: AttributeSheet, class_names: Sequence[str], most: int) -> None:
    """The classes that the attribute speaks for or against most, as signed bars on the right."""
    theme, x = frame.theme, frame.width - NAMES - BARS
    relevance = [float(r) for r in sheet.class_relevance]
    order = sorted(range(len(relevance)), key=lambda c: (-abs(relevance[c]), c))
    shown = [c for c in order if abs(relevance[c]) >= MIN_RELEVANCE][:most]
    frame.text(
        x,
        0.02,
        f"speaks for (+), against ({MINUS})" if shown else "speaks for no class",
        colour=theme.muted,
    )
    if not shown:
        return
    axes, low = (
        frame.axes(x + NAMES, 0.3, BARS, CLASS * len(shown)),
        -1.0 if min(relevance[c] for c in shown) < 0 else 0.0,
    )
    # The width of the numbers, in units of relevance.
    space = NUMBER * (1 - low) / (BARS - NUMBER * (2 if low else 1))
    axes.set_xlim(low - space * bool(low), 1 + space)
    axes.set_ylim(len(shown), 0)
    rules(
        axes,
        [[(bound, 0), (bound, len(shown))] for bound in (-1 / TAU, 1 / TAU) if low <= bound],
        theme.muted,
        1.0,
        ":",
    )
    rules(axes, [[(0, 0), (0, len(shown))]], theme.ink, 1.0)
    for i, c in enumerate(shown):
        r = relevance[c]
        bar(axes, i + 0.15, r, 0.7, theme)
        end = max(r, 1 / TAU) + space / 10 if r >= 0 else min(r, -1 / TAU) - space / 10
        label(axes, end, i + 0.5, signed(r), colour=theme.ink, ha="left" if r >= 0 else "right")
        top = 0.3 + CLASS * (i + 0.5) - line(BODY) / 2
        frame.text(
            x + NAMES - 0.06, top, class_label(c, class_names, NAMES - 0.08, BODY), side="right"
        )


def _caption(sheet: AttributeSheet, over: str) -> str:
    text = f"Active on {percent(sheet.active_share)} of the images."
    if len(sheet.images):
        text += (
            f" Heat by {sheet.heatmap_method}; the outline holds the hottest tenth of the image."
        )
    if not math.isnan(sheet.deletion):
        text += f" Without it φ changes by {change(-sheet.deletion)}"
        text += (
            "."
            if math.isnan(sheet.deletion_random)
            else f", without a random tenth by {change(-sheet.deletion_random)}."
        )
    if len(sheet.sweep):
        text += (
            " Decoded: the decoder's image of the first image's attributes, with this one at the "
            "values given."
        )
    if any(abs(float(r)) >= MIN_RELEVANCE for r in sheet.class_relevance):
        text += (
            " Bars: mean relevance over the images that g decides as the class; dotted: "
            f"1/τ, τ = {TAU:g}."
        )
    return said(text, over)
