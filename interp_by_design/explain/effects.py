"""Whether two attributes of an image differ in what they do to f as g says that they differ, for all classes at once.

Does not know the labels.
"""

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
    """Differences of probabilities [m, C], each row summing to 0, on m images with a shown attribute and another active one.

    measured: of f's answer without what the one looks at, from that without what the other looks at. predicted: of g's answer
    with the one at 0, from that with the other at 0. looked_at: how many images were tried.
    """

    measured: Differences
    predicted: Differences
    looked_at: int

    @property
    def agreement(self) -> float:
        """The cosine of the two over all images and classes at once, -1..1; 0 where one of them is no difference at all.

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
    """`p_f(x without E_j) - p_f(x without E_k)` beside `p_h(Φ(x), φ_j = 0) - p_h(Φ(x), φ_k = 0)`, p softmaxes, on `n` images.

    They are the first of `batches`. j is drawn from the attributes that are shown at tau, k from those that are active besides j.
    E_j is the hottest tenth of the pixels in the heat map of φ_j, and is blurred away. The model is left as it was. Raises
    `UserError` where there is no image.

    The house's own, after the objections of Kumar and Ahuja (CVPR 2026), arXiv 2504.10833, to measures by deletion: that f gives
    way to an image that has become strange, whatever was taken out of it, and that one class tells little. What is taken from f
    by any removal cancels out between two of them. Sizes are not compared: a tenth of the pixels is not all that there is of an
    attribute, and by the distance of the two, to predict no difference at all would beat every interpreter.
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
    """effect_agreement; absent where no image has a shown attribute and another active one."""
    found = effects(model, batches, seed, tau, n)
    return {"effect_agreement": found.agreement} if len(found.measured) else {}


def cosine(one: Differences, other: Differences) -> float:
    """`sum a b / ( |a| |b| )` over all of both."""
    return float(
        torch.nn.functional.cosine_similarity(
            one.double().flatten(), other.double().flatten(), dim=0
        )
    )


def _removed(model: InterpretableModel, images: Images, attribute: Chosen) -> Logits:
    """What f says without what the chosen attribute looks at, as probabilities."""
    maps = located(model, images, attribute.to(images)).maps
    return interpreted(model, without(images, hottest(maps, AREA))).predictor.softmax(dim=1)


def _zeroed(model: InterpretableModel, seen: Interpretation, attribute: Chosen) -> Logits:
    """What g says with the chosen attribute at 0, as probabilities."""
    head = model.interpreter.head
    logits = decide_from(seen.attributes, head.weights.detach(), head.bias.detach(), ~attribute)
    return logits.softmax(dim=1)
