"""Relevance of attributes on one image, as bars."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from interp_by_design.terms import NAMELESS, AttributeNames, Explanation
from interp_by_design.visualize.frame import BODY, SMALL, Frame, Words, block, label, line, rules
from interp_by_design.visualize.theme import LIGHT, Theme
from interp_by_design.visualize.words import (
    MINUS,
    attribute_label,
    class_label,
    count,
    number,
    percent,
    signed,
)

MAX_BARS = 14  # a remark counts the others
ROW = 0.27  # inches from bar to bar
NAMES = 1.75  # inches of the column of names
SCALE = 3.3  # inches of the bars
ADDS = 0.75  # inches of the column of contributions
WIDTH = NAMES + SCALE + ADDS
HEAD = 0.26  # inches above the bars
FOOT = 0.24  # inches below the bars


def relevance_bars(
    explanation: Explanation,
    class_names: Sequence[str],
    names: AttributeNames = NAMELESS,
    theme: Theme = LIGHT,
    over: str = "",
) -> Figure:
    """Draw the attributes shown at the explanation's τ as signed bars, the most relevant first.

    Next to each bar stands its contribution to the logit.

    Args:
        explanation: of one image.
        class_names: the name of each class.
        names: words for attributes that a person has named.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure; it says so where no attribute is shown.
    """
    title, text = (
        f"Why g decides {quoted(explanation.interpreter_class, class_names)}",
        caption(explanation, over),
    )
    if explanation.agrees and not explanation.sufficient:
        text += " What is shown does not suffice: from it alone, g would decide another class."
    words = Words(title, text)
    frame = Frame(WIDTH, height(explanation), words, theme)
    draw_bars(frame, explanation, names, 0, 0)
    return frame.figure


def caption(explanation: Explanation, over: str) -> str:
    """Return the caption that explains the bars.

    Args:
        explanation: of one image.
        over: the data that the image is from.

    Returns:
        What bars and numbers mean, at which τ.
    """
    return said(
        "Relevance r of the attributes for the class that g decides: "
        f"+ speaks for it, {MINUS} (hatched) against it, "
        f"relative to the strongest. Shown where |r| > 1/τ with τ = {explanation.tau:g} (dotted). "
        "Right: what it adds to the logit.",
        over,
    )


def said(text: str, over: str) -> str:
    """Append to a caption the data that it is about.

    Args:
        text: the caption.
        over: the data; an empty text adds nothing.

    Returns:
        The whole caption.

    >>> said("Counts.", "test split")
    'Counts. Data: test split.'
    """
    return f"{text} Data: {over.rstrip('.')}." if over else text


def quoted(c: int, class_names: Sequence[str], inches: float = 3.5) -> str:
    """Return the name of a class, in quotes, for a title.

    Args:
        c: the class.
        class_names: the name of each class.
        inches: the width to which the name is shortened.

    Returns:
        The name in quotes.
    """
    return f"“{class_label(c, class_names, inches, 12)}”"


def height(explanation: Explanation) -> float:
    """Return the height of the bars with scale and remarks.

    Args:
        explanation: of one image.

    Returns:
        Inches.
    """
    return (
        HEAD
        + ROW * max(1, min(MAX_BARS, len(explanation.shown())))
        + FOOT
        + line(SMALL) * len(_remarks(explanation))
    )


def draw_bars(
    frame: Frame, explanation: Explanation, names: AttributeNames, x: float, y: float
) -> None:
    """Draw the bars with names, scale and remarks, in `WIDTH` x `height(explanation)` inches.

    Args:
        frame: the figure.
        explanation: of one image.
        names: words for attributes that a person has named.
        x: left edge, inches.
        y: top edge, inches.
    """
    shown = explanation.shown()[:MAX_BARS]
    if shown:
        _scale(frame, explanation, shown, x, y)
        for i, j in enumerate(shown):
            top = y + HEAD + ROW * i + (ROW - line(BODY)) / 2
            frame.text(
                x + NAMES - 0.1, top, attribute_label(j, names, NAMES - 0.12, BODY), side="right"
            )
            frame.text(x + WIDTH, top, signed(float(explanation.contributions[j])), side="right")
        frame.text(
            x + NAMES + SCALE / 2,
            y,
            "relevance r",
            size=SMALL,
            colour=frame.theme.muted,
            side="center",
        )
        frame.text(x + WIDTH, y, "adds", size=SMALL, colour=frame.theme.muted, side="right")
    else:
        frame.text(x, y + HEAD, "Nothing is shown: no attribute speaks for or against this class.")
    below = y + HEAD + ROW * max(1, len(shown)) + FOOT
    for i, remark in enumerate(_remarks(explanation)):
        frame.text(x, below + line(SMALL) * i, remark, size=SMALL, colour=frame.theme.muted)


def _scale(frame: Frame, explanation: Explanation, shown: list[int], x: float, y: float) -> None:
    """The bars over an axis of r, which starts at −1 if an attribute speaks against, else at 0."""
    relevance = [float(explanation.relevance[j]) for j in shown]
    theme, tall = frame.theme, ROW * len(shown)
    space = 0.55 * 2 / SCALE  # for the numbers next to the longest bars
    low, high = (-1 - space, 1 + space) if min(relevance) < 0 else (0.0, 1 + space / 2)
    axes = frame.axes(x + NAMES, y + HEAD, SCALE, tall)
    axes.set_xlim(low, high)
    axes.set_ylim(len(shown), 0)
    ticks = [tick for tick in (-1.0, -0.5, 0.0, 0.5, 1.0) if low <= tick]
    rules(axes, [[(tick, 0), (tick, len(shown))] for tick in ticks], theme.faint)
    bounds = [bound for bound in (-1 / explanation.tau, 1 / explanation.tau) if low <= bound]
    rules(axes, [[(bound, 0), (bound, len(shown))] for bound in bounds], theme.muted, 1.0, ":")
    rules(axes, [[(0, 0), (0, len(shown))]], theme.ink, 1.0)
    for i, r in enumerate(relevance):
        bar(axes, i + 0.18, r, 0.64, theme)
        gap, side = (0.02, "left") if r >= 0 else (-0.02, "right")
        label(axes, r + gap * (high - low) / 2, i + 0.5, signed(r), colour=theme.ink, ha=side)
    for tick in ticks:
        place = x + NAMES + SCALE * (tick - low) / (high - low)
        frame.text(
            place,
            y + HEAD + tall + 0.04,
            number(tick),
            size=SMALL,
            colour=theme.muted,
            side="center",
        )


def bar(axes: Axes, y: float, length: float, thick: float, theme: Theme) -> None:
    """Draw a bar from 0: to the right for, to the left and hatched against.

    Args:
        axes: the axes.
        y: top edge, in the axes' data.
        length: the signed length.
        thick: the thickness.
        theme: the colours.
    """
    colour = theme.positive if length >= 0 else theme.negative
    block(
        axes, (min(0.0, length), y, abs(length), thick), colour, theme.page if length < 0 else None
    )


def _remarks(explanation: Explanation) -> list[str]:
    """Sentences about what the bars leave out."""
    shown = explanation.shown()
    alpha = explanation.contributions.abs()
    found = []
    if len(shown) > MAX_BARS:
        found.append(f"{count(len(shown) - MAX_BARS)} more are above 1/τ, and left out here.")
    others = int((alpha > 0).sum()) - len(shown)
    if shown and others > 0:
        share = 1 - float(alpha[shown].sum() / alpha.sum())
        found.append(
            f"{count(others, 'other attribute')} contribute{'s' if others == 1 else ''} less: "
            f"{percent(share)} of the evidence."
        )
    return found
