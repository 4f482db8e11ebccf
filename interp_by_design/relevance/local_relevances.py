"""Local relevance: how much each attribute speaks for, or against, the class that g decides on one image.

Does not know where the attributes came from, what they look like, or what the true label was.
"""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.relevance.decision import decide_from
from interp_by_design.terms import (
    TAU,
    Attributes,
    Decisions,
    Explanation,
    HeadWeights,
    Indices,
    Interpretation,
    Players,
    Sample,
    UserError,
    above_threshold,
    relative_to_largest,
)


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
    """Compute `r_{j,x} = alpha_{j,x} / max_i |alpha_{i,x}|`; 0 where every contribution of x is 0.

    Source: FLINT, section 3.3. Its official code normalises in three ways (by the signed maximum,
    by the absolute one, and thresholds on |alpha|); this is the paper's own form.

    Args:
        alpha: Contributions, [n, J].

    Returns:
        Signed relevance, [n, J] in [-1, 1].
    """
    return relative_to_largest(alpha)


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
    return above_threshold(relevance, tau)


def shown(relevance: Float[Tensor, "*any"], tau: float | int) -> Bool[Tensor, "*any"]:
    """`|r| > 1/tau`: the attributes an explanation has to show, evidence against the class included. UserError unless tau > 1.

    Departs from the paper, which counts evidence for the class only: a head that decides by negative weights would look concise.
    """
    return above_threshold(relevance.abs(), tau)


def explain_locally(
    seen: Interpretation,
    head_weights: HeadWeights,
    head_bias: Float[Tensor, "classes"],
    tau: float | int = TAU,
    sample: Sample | None = None,
) -> Explanation:
    """Explain the decision of g on one image by the contributions of the attributes.

    Args:
        seen: What f and g make of a batch of one image.
        head_weights: The weights of h, [C, J].
        head_bias: The bias of h, [C].
        tau: Attributes are shown where |relevance| > 1/tau.
        sample: Which image it is.

    Returns:
        The explanation, on the device of `seen`.

    Raises:
        UserError: If tau is not larger than 1.
    """
    f, decided = int(seen.predictor[0].argmax()), seen.interpreter.argmax(dim=1)
    alpha = contributions(seen.attributes, head_weights, decided)
    kept = shown(normalised(alpha), tau)
    alone = decide_from(seen.attributes, head_weights, head_bias, kept)[0]
    return Explanation(
        players=Players("attributes", alpha.shape[1]),
        values=alpha[0],
        target=f"logit of class {int(decided)} under g",
        method="attribute times weight",
        input=sample or Sample(),
        baseline="0",
        decisions=Decisions(
            f,
            int(decided),
            seen.predictor[0].softmax(dim=0),
            seen.interpreter[0].softmax(dim=0),
        ),
        attributes=seen.attributes[0],
        tau=tau,
        sufficient=int(alone.argmax()) == f,
    )


def require_classes(classes: Indices, n_classes: int) -> None:
    """UserError unless every class is within 0 .. n_classes - 1."""
    if classes.numel() and not 0 <= int(classes.min()) <= int(classes.max()) < n_classes:
        raise UserError(
            f"Classes run from {int(classes.min())} to {int(classes.max())}, and must be within 0 to {n_classes - 1}."
            " Check that the labels are those of this model's data set."
        )
