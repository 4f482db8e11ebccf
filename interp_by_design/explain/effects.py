"""Agreement between measured and predicted effects of removing an attribute."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.explain.deletion import interpreted
from interp_by_design.explain.faithfulness import AREA, Chosen, drawn, first, shown_and_others
from interp_by_design.explain.heat_maps import located
from interp_by_design.explain.removal import hottest, without
from interp_by_design.model import InterpretableModel
from interp_by_design.relevance import decide_from
from interp_by_design.terms import TAU, Batch, BatchWithActivations, Images, Interpretation, Logits

Differences = Float[Tensor, "m classes"]


@dataclass(frozen=True, eq=False)
class Effects:
    """Differences of probabilities between removing one attribute and removing another.

    Args:
        measured: Of f, without what the one attribute looks at or the other, [m, C].
        predicted: Of g, with the one attribute at 0 or the other, [m, C].
        looked_at: Number of images that were tried.
    """

    measured: Differences
    predicted: Differences
    looked_at: int

    @property
    def agreement(self) -> float:
        """Cosine of both over all images and classes, -1..1; 0 if one of them is 0.

        An image counts by how much its two attributes differ.
        """
        return cosine(self.measured, self.predicted)


def effects(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    seed: int,
    tau: float | int = TAU,
    n: int = 500,
) -> Effects:
    """Compute the measured and predicted difference of removing two attributes of each image.

    They are `p_f(x without E_j) - p_f(x without E_k)` and `p_h(Φ, φ_j = 0) - p_h(Φ, φ_k = 0)`, p
    softmaxes. j is drawn from the attributes that are shown at tau, k from the other active ones.
    E_j is the hottest tenth of the pixels in the heat map of φ_j, and is blurred.

    Original to this project, after the objections of Kumar and Ahuja (CVPR 2026), arXiv 2504.10833,
    to deletion tests: any removal makes the image strange to f, and one class carries little
    information. The effect that any removal has on f cancels out between two removals. Sizes are
    not compared: a tenth of the pixels is not all of an attribute, and by the distance of the two,
    predicting no difference would beat every interpreter.

    Args:
        model: f and g; its modes are restored.
        batches: Batches of images.
        seed: Of the drawn attributes.
        tau: Larger than 1.
        n: The first n images are used.

    Returns:
        The differences, on the m images with a shown attribute and another active one.

    Raises:
        UserError: If there is no image.
    """
    images, draws = first(model, batches, n), torch.Generator().manual_seed(seed)
    seen = interpreted(model, images)
    shown, others = shown_and_others(model, seen, tau)
    each = torch.ones(len(images), device=images.device)
    one = drawn(shown, each, draws)
    other = drawn((shown | others) & ~one, each, draws)
    rows = one.any(dim=1) & other.any(dim=1)
    measured, predicted = seen.predictor[rows], seen.interpreter[rows]
    if bool(rows.any()):
        measured = _removed(model, images[rows], one[rows]) - _removed(
            model, images[rows], other[rows]
        )
        predicted = (_zeroed(model, seen, one) - _zeroed(model, seen, other))[rows]
    return Effects(measured, predicted, len(images))


def effect_scores(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    seed: int,
    tau: float | int = TAU,
    n: int = 500,
) -> dict[str, float]:
    """Compute `effect_agreement`; absent if no image has a shown and another active attribute.

    Args:
        model: As for `effects`.
        batches: As for `effects`.
        seed: As for `effects`.
        tau: As for `effects`.
        n: As for `effects`.

    Returns:
        The score by key.
    """
    found = effects(model, batches, seed, tau, n)
    return {"effect_agreement": found.agreement} if len(found.measured) else {}


def cosine(one: Differences, other: Differences) -> float:
    """Compute `sum a b / (|a| |b|)` over all entries.

    Args:
        one: [m, C].
        other: [m, C].
    """
    return float(
        torch.nn.functional.cosine_similarity(
            one.double().flatten(), other.double().flatten(), dim=0
        )
    )


def _removed(model: InterpretableModel, images: Images, attribute: Chosen) -> Logits:
    """Return f's probabilities without what the chosen attribute looks at."""
    maps = located(model, images, attribute.to(images)).maps
    return interpreted(model, without(images, hottest(maps, AREA))).predictor.softmax(dim=1)


def _zeroed(model: InterpretableModel, seen: Interpretation, attribute: Chosen) -> Logits:
    """Return g's probabilities with the chosen attribute at 0."""
    head = model.interpreter.head
    logits = decide_from(seen.attributes, head.weights.detach(), head.bias.detach(), ~attribute)
    return logits.softmax(dim=1)
