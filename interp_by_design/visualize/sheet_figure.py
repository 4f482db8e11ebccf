"""The sheet of one attribute: what activates it, what that becomes when maximised, where it looks, what the decoder makes of it.

Does not search images or maximise anything: the sheet holds what was found.
"""

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

if TYPE_CHECKING:  # captum comes with it, which takes a second, and is not needed to draw
    from interp_by_design.explain import AttributeSheet

Row = tuple[str, list[Picture], list[str]]  # heading, pictures, and what stands under each

HEADINGS, NAMES, BARS = (
    1.15,
    1.3,
    1.6,
)  # inches: the names of the rows, those of the classes, their bars
TILE, GAP = 1.2, 0.1  # inches of a picture, and between two
BELOW = line(SMALL) + 0.1  # inches under a picture, for its words
MOST = 10  # classes with a bar
CLASS, NUMBER = 0.22, 0.42  # inches from class to class, and of a number beside a bar
LEAST = 0.05  # of a relevance that is worth a bar
HEAT = matplotlib.colormaps["viridis"]


def attribute_sheet(
    sheet: AttributeSheet,
    class_names: Sequence[str],
    names: AttributeNames = NAMELESS,
    theme: Theme = LIGHT,
    over: str = "",
) -> Figure:
    """Rows: the images that activate the attribute most, the same maximised, and with heat over them, the decoder's sweep.

    A row that the sheet does not hold is left out. The outline holds the hottest tenth of an image, the pixels that the deletion
    check removes.
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
    _classes(frame, sheet, class_names, min(MOST, int((upper - 0.35) / CLASS)))
    return frame.figure


def _rows(sheet: AttributeSheet, class_names: Sequence[str]) -> list[Row]:
    """What the sheet holds of its images."""
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
    """A heading, the pictures beside one another, and the words under them."""
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
    """The classes that the attribute speaks for or against most, as signed bars at the right."""
    theme, x = frame.theme, frame.width - NAMES - BARS
    relevance = [float(r) for r in sheet.class_relevance]
    order = sorted(range(len(relevance)), key=lambda c: (-abs(relevance[c]), c))
    shown = [c for c in order if abs(relevance[c]) >= LEAST][:most]
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
    room = NUMBER * (1 - low) / (BARS - NUMBER * (2 if low else 1))  # for the numbers, as relevance
    axes.set_xlim(low - room * bool(low), 1 + room)
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
        end = max(r, 1 / TAU) + room / 10 if r >= 0 else min(r, -1 / TAU) - room / 10
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
        text += " Decoded: what the decoder makes of the first image's attributes with this one at the values given."
    if any(abs(float(r)) >= LEAST for r in sheet.class_relevance):
        text += f" Bars: mean relevance over the images that g decides as the class; dotted: 1/τ, τ = {TAU:g}."
    return said(text, over)
