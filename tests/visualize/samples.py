"""Small and extreme inputs of every figure, and what tests look for in figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

from interp_by_design import visualize as v
from interp_by_design.explain import AttributeSheet, GlobalExplanation
from interp_by_design.relevance import explain_locally
from interp_by_design.terms import AttributeNames, Explanation, Interpretation, Sample

HOSTILE = [
    "$x_1$ & \\frac{a}{b} $",
    "猫",
    "😀🦊 fox",
    "a" * 3000,
    "line\nbreak",
    "",
    "_under_$core_",
    "שלום",
    "%d {x}",
    "W" * 40,
]
NAMES = AttributeNames(
    {
        0: "$\\alpha^{2$ $$",
        1: "猫猫",
        2: "x" * 500,
        3: "two\nlines\tand a tab",
        4: "\u202eevil\u200b\x07",
    }
)
MANY = [f"great white shark {c}" if c % 3 else f"tench, Tinca tinca {c}" for c in range(1000)]
OVER = "test split of $weird_data$, 10,000 images"


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def explanation(n_classes: int, n_attributes: int) -> GlobalExplanation:
    relevance = torch.randn(n_classes, n_attributes, generator=random()) * 0.05
    for c in range(n_classes):
        relevance[c, c % n_attributes], relevance[c, (c * 7 + 1) % n_attributes] = 0.9, -0.6
    counts = torch.arange(n_classes) % 40
    return GlobalExplanation(
        relevance,
        counts,
        torch.rand(n_attributes, generator=random()),
        relevance * 0,
        int(counts.sum()),
    )


def reading(n_attributes: int, active: int, tau: float = 5.0, n_classes: int = 10) -> Explanation:
    weights = torch.randn(n_classes, n_attributes, generator=random(1))
    attributes = torch.zeros(n_attributes)
    attributes[:active] = torch.rand(active, generator=random(2)) * 3
    seen = Interpretation(
        torch.randn(n_classes, generator=random(3))[None],
        (weights @ attributes)[None],
        attributes[None],
        None,
    )
    sample = Sample(123_456, 1)
    found = explain_locally(seen, weights, torch.zeros(n_classes), tau, sample)
    return replace(found, sufficient=False)


def sheet(
    length: int, shape: tuple[int, int, int], n_classes: int = 10, bare: bool = False
) -> AttributeSheet:
    """An attribute's sheet; bare: without maximised images and without a sweep."""
    images = torch.rand(length, *shape, generator=random())
    return AttributeSheet(
        attribute=2,
        images=images,
        indices=torch.arange(length),
        labels=torch.arange(length) % n_classes,
        values=torch.arange(length) + 0.5,
        maximized=None if bare else images.flip(0),
        maximized_values=None if bare else torch.arange(length) + 9.5,
        heatmaps=torch.rand(length, *shape[1:], generator=random(1)),
        heatmap_method="occlusion",
        deletion=0.5,
        deletion_random=float("nan") if bare else 0.1,
        sweep=torch.rand(0 if bare else 5, *shape, generator=random(2)),
        levels=torch.arange(0 if bare else 5).float(),
        active_share=0.0003,
        class_relevance=(torch.randn(n_classes, generator=random(3)) * 0.4).clamp(-1, 1),
    )


def counts(n_classes: int, agreed: int = 50) -> torch.Tensor:
    found = torch.eye(n_classes, dtype=torch.long) * agreed
    for k in range(n_classes):
        found[k, (k * 7 + 3) % n_classes] += k % 9
    return found


def history() -> dict[str, tuple[Sequence[float], Sequence[float]]]:
    steps = list(range(0, 20_000, 2))
    found: dict[str, tuple[Sequence[float], Sequence[float]]] = {
        "train/loss": (steps, [5.0 - step / 5000 for step in steps]),
        "train/weird_$key$_that_is_long": (steps, [2.0 ** -(step / 1000) for step in steps]),
        "val/loss": ([1], [float("nan")]),
        "lr": ([0, 5], [1e-5, 1e-6]),
        "val/x": ([1, 2, 3], [1.0, float("inf"), -2.0]),
    }
    return found | {f"val/more{i}": ([0, 10_000, 19_999], [1e6 * i, 2e6, 3e6]) for i in range(12)}


def scores() -> dict[str, float]:
    found = {"test/fidelity": 0.98, "test/weird": float("nan"), "val/conciseness@5": 9.0}
    for tau in (1.5, 2, 2.5, 3, 4, 5):
        found |= {
            f"test/conciseness@{tau:g}": tau / 2,
            f"test/sufficiency@{tau:g}": 0.8 + tau / 40,
            f"test/left_out@{tau:g}": 1 / tau,
        }
    return found


def schedule() -> dict[str, tuple[list[float], list[float]]]:
    epochs = [1 + i / 4 for i in range(17)]
    ramp = [min(1.0, max(0.0, epoch - 2)) for epoch in epochs]
    return {
        "prediction": (epochs, [1.0] * 17),
        "input_$fidelity$": (epochs, ramp),
        "never": (epochs, [0.0] * 17),
    }


def shares(n: int) -> torch.Tensor:
    found = torch.rand(n, generator=random()) ** 3
    found[0], found[-1] = 1.0, 0.0
    return found


def drifting(epochs: int, n: int) -> torch.Tensor:
    found = torch.rand(epochs, n, generator=random()) * 2 - 1
    found[:, -1:] = torch.nan
    return found


def grey(h: int, w: int) -> torch.Tensor:
    return torch.rand(1, h, w, generator=random())


Made = Callable[[v.Theme], Figure]

FIGURES: dict[str, Made] = {
    "relevance_bars": lambda t: v.relevance_bars(reading(8, 6), HOSTILE, NAMES, t, OVER),
    "relevance_bars many": lambda t: v.relevance_bars(
        reading(200, 150, 50.0), HOSTILE, NAMES, t, OVER
    ),
    "relevance_bars one": lambda t: v.relevance_bars(reading(1, 1), HOSTILE, NAMES, t, OVER),
    "relevance_bars none": lambda t: v.relevance_bars(reading(8, 0), HOSTILE, NAMES, t, OVER),
    "local_figure": lambda t: v.local_figure(
        torch.rand(3, 224, 224, generator=random()), reading(8, 6), HOSTILE, NAMES, t, OVER
    ),
    "local_figure tiny": lambda t: v.local_figure(
        grey(8, 8), reading(60, 50, 40.0), HOSTILE, NAMES, t, OVER
    ),
    "local_figure wide": lambda t: v.local_figure(
        grey(30, 90), reading(8, 0), HOSTILE, NAMES, t, OVER
    ),
    "relevance_map": lambda t: v.relevance_map(explanation(10, 6), HOSTILE, NAMES, 5.0, t, OVER),
    "relevance_map many": lambda t: v.relevance_map(
        explanation(1000, 200), MANY, NAMES, 5.0, t, OVER
    ),
    "relevance_map one": lambda t: v.relevance_map(
        explanation(2, 1), ["a"], AttributeNames(), 5.0, t, OVER
    ),
    "attribute_sheet": lambda t: v.attribute_sheet(sheet(3, (1, 8, 8)), HOSTILE, NAMES, t, OVER),
    "attribute_sheet many": lambda t: v.attribute_sheet(
        sheet(9, (3, 224, 160), 1000), MANY, NAMES, t, OVER
    ),
    "attribute_sheet bare": lambda t: v.attribute_sheet(
        sheet(1, (3, 32, 32), bare=True), HOSTILE, NAMES, t, OVER
    ),
    "attribute_sheet none": lambda t: v.attribute_sheet(
        sheet(0, (3, 8, 8)), HOSTILE, NAMES, t, OVER
    ),
    "tau_curves": lambda t: v.tau_curves(scores(), t, OVER),
    "tau_curves none": lambda t: v.tau_curves({}, t, OVER),
    "loss_curves": lambda t: v.loss_curves(history(), t, OVER),
    "loss_curves none": lambda t: v.loss_curves({}, t, OVER),
    "schedule_curves": lambda t: v.schedule_curves(schedule(), t, OVER),
    "schedule_curves none": lambda t: v.schedule_curves({}, t, OVER),
    "usage": lambda t: v.usage(shares(20), NAMES, t, OVER),
    "usage two columns": lambda t: v.usage(shares(60), NAMES, t, OVER),
    "usage three columns": lambda t: v.usage(shares(100), NAMES, t, OVER),
    "usage many": lambda t: v.usage(shares(500), NAMES, t, OVER),
    "usage one": lambda t: v.usage(torch.tensor([0.3]), NAMES, t, OVER),
    "confusion": lambda t: v.confusion(counts(10), HOSTILE, t, OVER),
    "confusion middle": lambda t: v.confusion(counts(25, 12_345), HOSTILE, t, OVER),
    "confusion many": lambda t: v.confusion(counts(1000), MANY, t, OVER),
    "confusion agreed": lambda t: v.confusion(
        torch.eye(2, dtype=torch.long) * 1_234_567, HOSTILE, t, OVER
    ),
    "confusion none": lambda t: v.confusion(torch.zeros(3, 3, dtype=torch.long), HOSTILE, t, OVER),
    "drift": lambda t: v.drift(list(range(1, 13)), drifting(12, 8), NAMES, t, OVER),
    "drift many": lambda t: v.drift(list(range(1, 101)), drifting(100, 200), NAMES, t, OVER),
    "drift one": lambda t: v.drift([5], drifting(1, 1), NAMES, t, OVER),
    "drift none": lambda t: v.drift([], drifting(0, 3), NAMES, t, OVER),
}


def pixels(figure: Figure) -> NDArray[np.uint8]:
    """The figure as it is saved, [h, w, 4]."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


class Drawn(NamedTuple):
    figure: Figure
    image: NDArray[np.uint8]


@cache
def drawn(name: str, theme: v.Theme) -> Drawn:
    """A figure of FIGURES and how it looks; to be read, not changed."""
    figure = FIGURES[name](theme)
    return Drawn(figure, pixels(figure))


def texts(figure: Figure) -> list[Text]:
    """Every text of the figure that is not empty."""
    return [
        text
        for text in (*figure.texts, *(text for axes in figure.axes for text in axes.texts))
        if text.get_text().strip()
    ]


def words(figure: Figure) -> str:
    """All that is written, in the order of drawing."""
    return " ".join(text.get_text() for text in texts(figure))


def boxes(figure: Figure) -> list[tuple[str, NDArray[np.float64]]]:
    """Every text with its left, bottom, right and top in pixels, within its letters' height."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    found = []
    for text in texts(figure):
        box = text.get_window_extent(renderer)
        across, down = (
            (0.0, 0.14 * box.height) if text.get_rotation() == 0 else (0.14 * box.width, 0.0)
        )
        found.append(
            (
                text.get_text(),
                np.array([box.x0 + across, box.y0 + down, box.x1 - across, box.y1 - down]),
            )
        )
    return found


def colour(image: NDArray[np.uint8], hexadecimal: str) -> int:
    """How many pixels have exactly this colour."""
    wanted = [int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)]
    return int((image[..., :3] == np.array(wanted)).all(axis=-1).sum())


def artists(figure: Figure, kind: type) -> list[Any]:
    """All artists of a kind."""
    return cast("list[Any]", figure.findobj(kind))


def bars(figure: Figure) -> list[Rectangle]:
    """The bars, in the order of drawing."""
    return [patch for patch in artists(figure, Rectangle) if patch.get_zorder() == 2]
