"""Local relevance: how much each attribute speaks for, or against, the class that g decides on one image.

Does not know where the attributes came from, what they look like, or what the true label was.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.terms import Attributes, HeadWeights, Indices, UserError


def contributions(
    attributes: Attributes, head_weights: HeadWeights, classes: Indices
) -> Attributes:
    """`alpha_{j,x} = phi_j(x) w_{j,c(x)}`: what attribute j adds to the logit of class c(x), in logits, [n, J].

    `classes` [n] holds one class for each row; relevance is defined for the class that g decides. A bias of the head belongs to
    no attribute and is left out. Raises UserError for a class that the head does not have. Source: FLINT, section 3.3.
    """
    require_classes(classes, head_weights.shape[0])
    return attributes * head_weights[classes]


def normalised(alpha: Attributes) -> Attributes:
    """`r_{j,x} = alpha_{j,x} / max_i |alpha_{i,x}|`, signed, in [-1, 1]; 0 where every contribution of x is 0.

    Source: FLINT, section 3.3. Its official code normalises in three ways (by the signed maximum, by the
    absolute one, and thresholds on |alpha|); this is the paper's own form and the only one in the house.
    """
    largest = alpha.abs().amax(dim=1, keepdim=True)
    return alpha / largest.where(
        largest > 0, 1
    )  # 0 / 1 where nothing contributes, instead of 0 / 0


def local_relevance(
    attributes: Attributes, head_weights: HeadWeights, classes: Indices
) -> Attributes:
    """`r_{j,x} = alpha_{j,x} / max_i |alpha_{i,x}|` with `alpha_{j,x} = phi_j(x) w_{j,c(x)}`, [n, J] in [-1, 1].

    `classes` [n]: the class g decides on each row, also where f decides otherwise. Rows without any
    contribution are 0. Raises UserError for a class that the head does not have. Source: FLINT, section 3.3.
    """
    return normalised(contributions(attributes, head_weights, classes))


def relevant(relevance: Float[Tensor, "*any"], tau: float | int) -> Bool[Tensor, "*any"]:
    """`r > 1/tau`: the attributes that speak *for* the class; the paper's one-sided `L(x, g, f)`. UserError unless tau > 1."""
    require_tau(tau)
    return relevance > 1 / tau


def shown(relevance: Float[Tensor, "*any"], tau: float | int) -> Bool[Tensor, "*any"]:
    """`|r| > 1/tau`: the attributes an explanation has to show, evidence against the class included. UserError unless tau > 1.

    Departs from the paper, which counts evidence for the class only: a head that decides by negative weights would look concise.
    """
    require_tau(tau)
    return relevance.abs() > 1 / tau


@dataclass(frozen=True, eq=False)
class LocalExplanation:
    """Why g decides as it does on one image.

    `relevance` [J] in [-1, 1] and `contributions` [J] (in logits) are for the class g decides; the probabilities [C] of f and g
    sum to 1.
    """

    relevance: Float[Tensor, "attributes"]
    contributions: Float[Tensor, "attributes"]
    predictor_class: int
    interpreter_class: int
    predictor_probabilities: Float[Tensor, "classes"]
    interpreter_probabilities: Float[Tensor, "classes"]

    @property
    def agrees(self) -> bool:
        """Whether f and g decide the same class. Where they do not, the relevance explains g's decision and not f's."""
        return self.predictor_class == self.interpreter_class

    def relevant(self, tau: float | int) -> list[int]:
        """Attributes with `r_j > 1/tau`, the most relevant first, of equals the lower index. UserError unless tau > 1."""
        return self._by_size(relevant(self.relevance, tau))

    def shown(self, tau: float | int) -> list[int]:
        """Attributes with `|r_j| > 1/tau`, evidence against the class included, the largest |r_j| first."""
        return self._by_size(shown(self.relevance, tau))

    def _by_size(self, chosen: Bool[Tensor, "attributes"]) -> list[int]:
        order = self.relevance.abs().argsort(descending=True, stable=True)
        return [int(j) for j in order[chosen[order]]]


def explain_locally(
    predictor: Float[Tensor, "classes"],
    interpreter: Float[Tensor, "classes"],
    attributes: Float[Tensor, "attributes"],
    head_weights: HeadWeights,
) -> LocalExplanation:
    """The explanation of one image from the logits [C] of f and of g, its attributes [J], and the weights [C, J] of h."""
    decided = interpreter.argmax(dim=0, keepdim=True)
    alpha = contributions(attributes[None], head_weights, decided)
    return LocalExplanation(
        relevance=normalised(alpha)[0],
        contributions=alpha[0],
        predictor_class=int(predictor.argmax()),
        interpreter_class=int(decided),
        predictor_probabilities=predictor.softmax(dim=0),
        interpreter_probabilities=interpreter.softmax(dim=0),
    )


def require_tau(tau: float | int) -> None:
    """UserError unless tau > 1 (NaN included): at tau <= 1 the bound 1/tau is out of reach of every relevance."""
    if not tau > 1:
        raise UserError(
            f"tau is {tau}, and must be larger than 1: an attribute counts where its relevance exceeds 1/tau. Try 2."
        )


def require_classes(classes: Indices, n_classes: int) -> None:
    """UserError unless every class is within 0 .. n_classes - 1."""
    if classes.numel() and not 0 <= int(classes.min()) <= int(classes.max()) < n_classes:
        raise UserError(
            f"Classes run from {int(classes.min())} to {int(classes.max())}, and must be within 0 to {n_classes - 1}."
            " Check that the labels are those of this model's data set."
        )
