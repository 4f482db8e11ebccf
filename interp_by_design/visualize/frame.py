"""Figure laid out in inches: a title, a body and a caption.

Every style is set explicitly: a user's rcParams are neither read nor changed, and any thread may
draw. Axes are bare, without ticks and frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from interp_by_design.visualize.theme import Theme
from interp_by_design.visualize.words import DPI, POINTS, families, wrapped

MARGIN = 0.2  # inches around everything
TITLE = 12.0  # points
BODY = 9.0  # points
SMALL = 8.0  # points
LEADING = 1.35  # from line to line, in sizes
CAPITAL = 0.73  # the height of capitals, in sizes

Side = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Words:
    """The text around a figure.

    Args:
        title: above the body.
        caption: below the body: what is shown, and over which data.
    """

    title: str
    caption: str


@final
class Frame:
    """A figure with a title, a body and a caption.

    Places are in inches from the body's top left, x to the right, y down.

    Args:
        width: of the body, inches.
        height: of the body, inches.
        words: title and caption.
        theme: the colours.
    """

    def __init__(self, width: float, height: float, words: Words, theme: Theme) -> None:
        self.width, self.height, self.theme = width, height, theme
        title, caption = (
            wrapped(words.title, width, TITLE, bold=True),
            wrapped(words.caption, width, SMALL),
        )
        self._top = MARGIN + line(TITLE) * len(title) + 0.12
        full = self._top + height + 0.12 + line(SMALL) * len(caption) + MARGIN * 0.75
        self.figure = Figure(
            figsize=(width + 2 * MARGIN, full),
            dpi=DPI,
            facecolor=theme.page,
            edgecolor=theme.page,
            frameon=True,
        )
        self.figure.set_layout_engine("none")  # regardless of the user's rcParams
        self._full = full, width + 2 * MARGIN
        for i, words_of_line in enumerate(title):
            self.text(0, MARGIN - self._top + line(TITLE) * i, words_of_line, size=TITLE, bold=True)
        for i, words_of_line in enumerate(caption):
            self.text(
                0, height + 0.12 + line(SMALL) * i, words_of_line, size=SMALL, colour=theme.muted
            )

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Add bare axes.

        Args:
            x: left edge, inches.
            y: top edge, inches.
            width: inches.
            height: inches.

        Returns:
            The axes.
        """
        full, across = self._full
        bottom = full - self._top - y - height
        axes = self.figure.add_axes(
            (((MARGIN + x) / across), bottom / full, width / across, height / full)
        )
        axes.set_axis_off()
        axes.grid(False)
        axes.margins(0)
        return axes

    def canvas(self) -> Axes:
        """Add bare axes over the whole body, whose data are inches like this frame's places."""
        axes = self.axes(0, 0, self.width, self.height)
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.height, 0)
        axes.set_autoscale_on(False)
        return axes

    def text(
        self, x: float, y: float, words: str, size: float = BODY, side: Side = "left", **look: Any
    ) -> Text:
        """Draw one line of text.

        Args:
            x: where its `side` is, inches.
            y: its top, inches.
            words: the text.
            size: points.
            side: the side of the text that is at `x`.
            look: `colour` and `bold`, see `style`.

        Returns:
            The text.
        """
        look = style(size, look.get("colour") or self.theme.ink, look.get("bold", False))
        # Centred on the height of capitals, so that the baseline does not depend on the letters.
        baseline = y + line(size) / 2 + CAPITAL / 2 * size / POINTS
        return self.figure.text(*self.at(x, baseline), words, ha=side, va="baseline", **look)

    def upright(
        self, x: float, y: float, words: str, size: float = BODY, side: Side = "left", **look: Any
    ) -> Text:
        """Draw one line of text that runs upwards.

        Args:
            x: its middle, inches.
            y: where its `side` is, inches; left is its beginning.
            words: the text.
            size: points.
            side: the side of the text that is at `y`.
            look: `colour` and `bold`, see `style`.

        Returns:
            The text.
        """
        look = style(size, look.get("colour") or self.theme.ink, look.get("bold", False))
        place = {"left": "bottom", "center": "center", "right": "top"}[side]
        return self.figure.text(*self.at(x, y), words, ha="center", va=place, rotation=90, **look)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Convert a place to fractions of the whole figure.

        Args:
            x: inches from the body's left.
            y: inches from the body's top.

        Returns:
            Fractions of width and height, from the bottom left.
        """
        full, across = self._full
        return (MARGIN + x) / across, 1 - (self._top + y) / full

    def paragraph(
        self,
        x: float,
        y: float,
        words: str,
        width: float,
        *,
        size: float = BODY,
        colour: str | None = None,
    ) -> float:
        """Draw text in several lines.

        Args:
            x: left edge, inches.
            y: top edge, inches.
            words: the text.
            width: of a line at most, inches.
            size: points.
            colour: #rrggbb; None for the theme's ink.

        Returns:
            The y below the text, inches.
        """
        for text in wrapped(words, width, size):
            self.text(x, y, text, size=size, colour=colour)
            y += line(size)
        return y


def line(size: float) -> float:
    """Return the height of a line of text.

    Args:
        size: points.

    Returns:
        Inches.
    """
    return size * LEADING / POINTS


def style(size: float, colour: str, bold: bool = False) -> dict[str, Any]:
    """Return matplotlib's arguments for a text, in which `$` and `_` are literal.

    Args:
        size: points.
        colour: #rrggbb.
        bold: whether the text is bold.

    Returns:
        Keyword arguments of `Figure.text` and `Axes.text`.
    """
    return {
        "fontfamily": list(families()),
        "fontsize": size,
        "fontstyle": "normal",
        "fontvariant": "normal",
        "fontstretch": "normal",
        "fontweight": "bold" if bold else "normal",
        "color": colour,
        "parse_math": False,
        "usetex": False,
    }


def label(axes: Axes, x: float, y: float, words: str, **how: Any) -> Text:
    """Draw text at a place of the axes' data.

    Args:
        axes: the axes.
        x: the place.
        y: the place.
        words: the text.
        how: `size`, `colour` and `bold` as in `style`; others are matplotlib's.

    Returns:
        The text.
    """
    look = style(how.pop("size", SMALL), how.pop("colour"), how.pop("bold", False))
    place = {"ha": "center", "va": "center"} | how
    return axes.text(x, y, words, **place, **look)


def block(
    axes: Axes, box: tuple[float, float, float, float], colour: str, hatch: str | None = None
) -> None:
    """Draw a filled box.

    Args:
        axes: the axes.
        box: left, lower y, width and height, in the axes' data.
        colour: #rrggbb.
        hatch: the colour of slanting lines; None for none.
    """
    x, y, wide, tall = box
    patch = Rectangle(
        (x, y),
        wide,
        tall,
        facecolor=colour,
        edgecolor=hatch or colour,
        linewidth=0,
        zorder=2,
        fill=True,
    )
    if hatch:
        patch.set_hatch("////")
        patch.set_hatch_linewidth(1.0)
        # Since matplotlib 3.11; before, hatches have the colour of the edge.
        if hasattr(patch, "set_hatchcolor"):
            patch.set_hatchcolor(hatch)
    axes.add_patch(patch)


def rules(
    axes: Axes,
    segments: Sequence[Any],
    colour: str,
    wide: float = 0.8,
    dashes: Any = "solid",
    order: float = 1.5,
) -> None:
    """Draw straight lines.

    Args:
        axes: the axes.
        segments: two points (x, y) each, in the axes' data.
        colour: #rrggbb.
        wide: the width in points.
        dashes: matplotlib's line style.
        order: matplotlib's zorder; the lines cover what has a lower one.
    """
    axes.add_collection(
        LineCollection(
            segments,
            colors=colour,
            linewidths=wide,
            linestyles=dashes,
            antialiaseds=True,
            zorder=order,
        ),
        autolim=False,
    )
