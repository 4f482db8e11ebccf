"""One image next to its explanation."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from interp_by_design.terms import NAMELESS, AttributeNames, Explanation
from interp_by_design.visualize.bars import WIDTH, caption, draw_bars, height, quoted
from interp_by_design.visualize.frame import BODY, Frame, Words, line
from interp_by_design.visualize.theme import LIGHT, Theme
from interp_by_design.visualize.tiles import draw_picture, picture
from interp_by_design.visualize.words import class_label, percent, wrapped

SIDE = 2.3  # inches of the image
GAP = 0.35  # inches between image and bars
STATEMENT = 10.0  # points


def local_figure(
    image: Float[Tensor, "c h w"],
    explanation: Explanation,
    class_names: Sequence[str],
    names: AttributeNames = NAMELESS,
    theme: Theme = LIGHT,
    over: str = "",
) -> Figure:
    """Draw an image with the decisions of f and g, the statement and the bars of its explanation.

    Args:
        image: [c, h, w] in [0, 1].
        explanation: of the image.
        class_names: the name of each class.
        names: words for attributes that a person has named.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure.
    """
    wide = SIDE + GAP + WIDTH
    statement = wrapped(explanation.statement(_drawable(explanation, class_names)), wide, STATEMENT)
    decisions, top = _decisions(explanation, class_names), line(STATEMENT) * len(statement) + 0.15
    down = SIDE * min(1.0, image.shape[1] / image.shape[2])
    tall = top + max(down + 0.1 + line(BODY) * len(decisions), height(explanation))
    frame = Frame(
        wide, tall, Words(_title(explanation, class_names), caption(explanation, over)), theme
    )
    for i, text in enumerate(statement):
        frame.text(0, line(STATEMENT) * i, text, size=STATEMENT)
    draw_picture(frame.canvas(), picture(image), 0, top - (SIDE - down) / 2, SIDE)
    for i, text in enumerate(decisions):
        frame.text(0, top + down + 0.1 + line(BODY) * i, text)
    draw_bars(frame, explanation, names, SIDE + GAP, top)
    return frame.figure


def _drawable(explanation: Explanation, class_names: Sequence[str]) -> list[str]:
    """The names of all classes; those in the statement shortened to what can be drawn."""
    decided = (explanation.predictor_class, explanation.interpreter_class)
    names = [*class_names, *[""] * (max(decided) + 1 - len(class_names))]
    for c in decided:
        names[c] = class_label(c, class_names, SIDE, STATEMENT)
    return names


def _title(explanation: Explanation, class_names: Sequence[str]) -> str:
    found = f"g decides {quoted(explanation.interpreter_class, class_names, 2.2)}"
    if not explanation.agrees:
        found += f", but f {quoted(explanation.predictor_class, class_names, 2.2)}"
    return found if explanation.input.index is None else f"Image {explanation.input.index}: {found}"


def _decisions(explanation: Explanation, class_names: Sequence[str]) -> list[str]:
    """The decisions of f and g with their probabilities, and the label."""
    rows = [
        (
            "f",
            explanation.predictor_class,
            float(explanation.predictor_probabilities[explanation.predictor_class]),
        ),
        (
            "g",
            explanation.interpreter_class,
            float(explanation.interpreter_probabilities[explanation.interpreter_class]),
        ),
    ]
    found = [
        f"{who}  {class_label(c, class_names, SIDE - 0.9, BODY)}, {percent(share)}"
        for who, c, share in rows
    ]
    return (
        found
        if explanation.input.label is None
        else [
            f"label  {class_label(explanation.input.label, class_names, SIDE - 0.6, BODY)}",
            *found,
        ]
    )
