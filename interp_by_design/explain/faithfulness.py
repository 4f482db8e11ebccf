"""Faithfulness: the effect on f of removing the evidence of the shown attributes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.explain.deletion import interpreted
from interp_by_design.explain.heat_maps import located
from interp_by_design.explain.removal import hottest, without
from interp_by_design.metrics import active, activity_threshold
from interp_by_design.model import InterpretableModel
from interp_by_design.relevance import local_relevance, shown
from interp_by_design.terms import (
    TAU,
    Attributes,
    Batch,
    BatchWithActivations,
    Images,
    Interpretation,
    UserError,
)

AREA = 0.1
NORMAL_95 = 1.96  # deviations to either side of the mean

Chosen = Bool[Tensor, "n attributes"]


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Loss of f's probability of the class that it decides, on m images; below 0 it rises.

    Args:
        shown: Without the evidence of the shown attributes, [m].
        random: Without that of attributes drawn from those active and not shown, [m].
        looked_at: Number of images that were tried; the others have nothing to draw from.
    """

    shown: Float[Tensor, "m"]
    random: Float[Tensor, "m"]
    looked_at: int

    @property
    def gap_low(self) -> float:
        """Lower end of the 95 % interval of the mean of shown - random; NaN below two images.

        `mean d - 1.96 s / sqrt m`, s the standard deviation of d: too narrow for a few images.
        """
        gaps = (self.shown - self.random).double()
        return (
            float(gaps.mean() - NORMAL_95 * gaps.std() / len(gaps) ** 0.5)
            if len(gaps) > 1
            else math.nan
        )


def faithfulness(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    seed: int,
    tau: float | int = TAU,
    n: int = 500,
) -> Faithfulness:
    """Compute `p_f(c | x) - p_f(c | x without E)`, c the class that f decides on x.

    E is the hottest tenth of the pixels in the heat map of `sum_{j in S} |w_{j,c(x)}| phi_j`, and
    is blurred. S are the attributes that are shown at tau; for `random`, as many drawn from those
    that are active and not shown, or all of these if they are fewer. The area is the same.

    Source: the removal test of VisCoIN, Parekh, Bouniot et al. (2025), arXiv 2407.01331, section
        4.1.
    Departs from it in removing evidence from the image, where it zeroes attributes and lets g judge
    the decoder's image: that stays within the interpreter.

    Args:
        model: f and g; its modes are restored.
        batches: Batches of images.
        seed: Of the drawn attributes.
        tau: Larger than 1.
        n: The first n images are used.

    Returns:
        The losses.

    Raises:
        UserError: If there is no image.
    """
    images = first(model, batches, n)
    seen = interpreted(model, images)
    weights = model.interpreter.head.weights.detach()[seen.interpreter.argmax(dim=1)].abs()
    chosen, others = shown_and_others(model, seen, tau)
    random = drawn(others, chosen.sum(dim=1), torch.Generator().manual_seed(seed))
    rows = others.any(dim=1) & chosen.any(dim=1)
    if not bool(rows.any()):
        return Faithfulness(images.new_zeros(0), images.new_zeros(0), len(images))
    lost = [
        _lost(model, images[rows], seen.predictor[rows], (weights * some)[rows])
        for some in (chosen, random)
    ]
    return Faithfulness(lost[0], lost[1], len(images))


def faithfulness_scores(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    seed: int,
    tau: float | int = TAU,
    n: int = 500,
) -> dict[str, float]:
    """Compute faithfulness, faithfulness_random, faithfulness_gap_low and faithfulness_samples.

    Without any image there is no score; with one image there is no `faithfulness_gap_low`.

    Args:
        model: As for `faithfulness`.
        batches: As for `faithfulness`.
        seed: As for `faithfulness`.
        tau: As for `faithfulness`.
        n: As for `faithfulness`.

    Returns:
        The scores by key.
    """
    found = faithfulness(model, batches, seed, tau, n)
    if not len(found.shown):
        return {}
    low = {} if math.isnan(found.gap_low) else {"faithfulness_gap_low": found.gap_low}
    return low | {
        "faithfulness": float(found.shown.double().mean()),
        "faithfulness_random": float(found.random.double().mean()),
        "faithfulness_samples": float(len(found.shown)),
    }


def shown_and_others(
    model: InterpretableModel, seen: Interpretation, tau: float | int
) -> tuple[Chosen, Chosen]:
    """Return the shown attributes of each image, and those that are active and not shown.

    Args:
        model: f and g.
        seen: The interpretation of n images.
        tau: Larger than 1.

    Returns:
        Two masks, [n, J].
    """
    weights = model.interpreter.head.weights.detach()
    chosen = shown(local_relevance(seen.attributes, weights, seen.interpreter.argmax(dim=1)), tau)
    on = active(seen.attributes, activity_threshold(seen.attributes))
    return chosen, on & ~chosen


def drawn(among: Chosen, counts: Tensor, draws: torch.Generator) -> Chosen:
    """Draw attributes of each row.

    Args:
        among: Those that may be drawn, [n, J].
        counts: How many to draw in each row, [n].
        draws: The random numbers.

    Returns:
        A mask [n, J]; all that may be drawn where they are fewer.
    """
    order = (
        torch.where(among.cpu(), torch.rand(among.shape, generator=draws), 2.0)
        .argsort(dim=1)
        .argsort(dim=1)
        .to(among.device)
    )
    return among & (order < counts[:, None])


def _lost(model: InterpretableModel, images: Images, logits: Tensor, weights: Attributes) -> Tensor:
    """Return the loss of f's decided probability without the evidence of some attributes."""
    decided = logits.argmax(dim=1, keepdim=True)
    maps = located(model, images, weights).maps
    after = interpreted(model, without(images, hottest(maps, AREA))).predictor
    before, left = (some.softmax(dim=1).gather(1, decided)[:, 0] for some in (logits, after))
    return before - left


def first(
    model: InterpretableModel, batches: Iterable[Batch | BatchWithActivations], n: int
) -> Images:
    """Return the first images of batches, on the model's device.

    Args:
        model: f and g.
        batches: Batches of images.
        n: Their number.

    Returns:
        At most n images.

    Raises:
        UserError: If there is none.
    """
    device, found = model.interpreter.head.weights.device, list[Tensor]()
    for given in batches:
        images = (given.batch if isinstance(given, BatchWithActivations) else given).images
        found.append(images[: n - sum(map(len, found))].to(device))
        if sum(map(len, found)) >= n:
            break
    if not sum(map(len, found)):
        raise UserError(
            "There is no image to measure on: this split holds none, or n is not positive."
        )
    return torch.cat(found)
