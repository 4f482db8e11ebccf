"""A figure laid out in inches: a title above, a body, a caption below; everything is placed by hand, and nothing measured twice.

Every style is said where it is used: a user's rcParams are neither read nor changed, and any thread may draw. Axes come bare:
they have neither ticks nor a frame of their own. Does not know what is drawn.
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
TITLE, BODY, SMALL = 12.0, 9.0, 8.0  # sizes in points
LEADING = 1.35  # from line to line, in sizes
CAPITAL = 0.73  # the height of capitals, in sizes

Side = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Words:
    """A title, and what is said under the figure: what is shown, and over which data."""

    title: str
    caption: str


@final
class Frame:
    """A figure with a body of `width` x `height` inches. Places are inches from the body's top left, x to the right, y down."""

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
        self.figure.set_layout_engine("none")  # whatever the user's rcParams say
        self._full = full, width + 2 * MARGIN
        for i, words_of_line in enumerate(title):
            self.text(0, MARGIN - self._top + line(TITLE) * i, words_of_line, size=TITLE, bold=True)
        for i, words_of_line in enumerate(caption):
            self.text(
                0, height + 0.12 + line(SMALL) * i, words_of_line, size=SMALL, colour=theme.muted
            )

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Bare axes with their top left at (x, y)."""
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
        """Bare axes over the whole body whose data are inches, as this frame's places are."""
        axes = self.axes(0, 0, self.width, self.height)
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.height, 0)
        axes.set_autoscale_on(False)
        return axes

    def text(
        self, x: float, y: float, words: str, size: float = BODY, side: Side = "left", **look: Any
    ) -> Text:
        """One line of text with its top at y, and its `side` at x; `colour` and `bold` as in `style`."""
        look = style(size, look.get("colour") or self.theme.ink, look.get("bold", False))
        baseline = (
            y + line(size) / 2 + CAPITAL / 2 * size / POINTS
        )  # capitals in the middle of the line, whatever the letters are
        return self.figure.text(*self.at(x, baseline), words, ha=side, va="baseline", **look)

    def upright(
        self, x: float, y: float, words: str, size: float = BODY, side: Side = "left", **look: Any
    ) -> Text:
        """One line of text that runs upwards in the middle of x; its `side` (left is its begin) is at y."""
        look = style(size, look.get("colour") or self.theme.ink, look.get("bold", False))
        place = {"left": "bottom", "center": "center", "right": "top"}[side]
        return self.figure.text(*self.at(x, y), words, ha="center", va=place, rotation=90, **look)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place as shares of the whole figure, from its bottom left."""
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
        """Text in lines of at most `width` inches from y down; the y below it."""
        for text in wrapped(words, width, size):
            self.text(x, y, text, size=size, colour=colour)
            y += line(size)
        return y


def line(size: float) -> float:
    """The height of a line of text of `size` points, in inches."""
    return size * LEADING / POINTS


def style(size: float, colour: str, bold: bool = False) -> dict[str, Any]:
    """How matplotlib draws text in this house: from the fonts at hand, `$` and `_` as they stand."""
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
    """Text at a place of the data; `size`, `colour` and `bold` as in `style`, whatever else goes to matplotlib."""
    look = style(how.pop("size", SMALL), how.pop("colour"), how.pop("bold", False))
    place = {"ha": "center", "va": "center"} | how
    return axes.text(x, y, words, **place, **look)


def block(
    axes: Axes, box: tuple[float, float, float, float], colour: str, hatch: str | None = None
) -> None:
    """A filled box (left, lower y, width, height) of the axes' data; with slanting lines in the colour `hatch`."""
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
        if hasattr(
            patch, "set_hatchcolor"
        ):  # since matplotlib 3.11; before, hatches have the colour of the edge
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
    """Straight lines, each of two points (x, y); they lie over whatever has a lower `zorder` than `order`."""
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
