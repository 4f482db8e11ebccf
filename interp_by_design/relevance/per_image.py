"""Local relevance: contribution of each attribute to g's decision on one image."""

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
    """Compute `alpha_{j,x} = phi_j(x) w_{j,c(x)}`, what attribute j adds to a logit.

    A bias of the head belongs to no attribute and is left out.

    Args:
        attributes: Φ(x), [n, J].
        head_weights: The weights of h, [C, J].
        classes: One class for each row, [n]; for relevance the class that g decides.

    Returns:
        The contributions in logits, [n, J].

    Raises:
        UserError: The head does not have one of the classes.

    Source: FLINT, section 3.3.

    >>> import torch
    >>> weights = torch.tensor([[1.0, -2.0], [3.0, 0.0]])
    >>> contributions(torch.tensor([[1.0, 0.5]]), weights, torch.tensor([0])).tolist()
    [[1.0, -1.0]]
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
    """Compute `r_{j,x} = alpha_{j,x} / max_i |alpha_{i,x}|`, alpha the `contributions`.

    Args:
        attributes: Φ(x), [n, J].
        head_weights: The weights of h, [C, J].
        classes: The class that g decides on each row, also where f decides otherwise, [n].

    Returns:
        Signed relevance, [n, J] in [-1, 1]; rows without any contribution are 0.

    Raises:
        UserError: The head does not have one of the classes.

    Source: FLINT, section 3.3.

    >>> import torch
    >>> weights = torch.tensor([[1.0, -4.0], [3.0, 0.0]])
    >>> local_relevance(torch.tensor([[1.0, 0.5]]), weights, torch.tensor([0])).tolist()
    [[0.5, -1.0]]
    """
    return normalised(contributions(attributes, head_weights, classes))


def relevant(relevance: Float[Tensor, "*any"], tau: float | int) -> Bool[Tensor, "*any"]:
    """Select the attributes that speak *for* the class: `r > 1/tau`.

    It is the paper's one-sided `L(x, g, f)`.

    Args:
        relevance: Relevance, of any shape.
        tau: The threshold is 1/tau; larger than 1.

    Returns:
        Which attributes are relevant, of the same shape.

    Raises:
        UserError: tau is not larger than 1.

    >>> import torch
    >>> relevant(torch.tensor([1.0, -1.0, 0.2]), tau=2).tolist()
    [True, False, False]
    """
    return above_threshold(relevance, tau)


def shown(relevance: Float[Tensor, "*any"], tau: float | int) -> Bool[Tensor, "*any"]:
    """Select the attributes that an explanation has to show: `|r| > 1/tau`.

    They speak for or against the class. Departs from the paper, which counts evidence for the class
    only: a head that decides by negative weights would look concise.

    Args:
        relevance: Relevance, of any shape.
        tau: The threshold is 1/tau; larger than 1.

    Returns:
        Which attributes are shown, of the same shape.

    Raises:
        UserError: tau is not larger than 1.

    >>> import torch
    >>> shown(torch.tensor([1.0, -1.0, 0.2]), tau=2).tolist()
    [True, True, False]
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
        seen: The outputs of f and g for a batch of one image.
        head_weights: The weights of h, [C, J].
        head_bias: The bias of h, [C].
        tau: Attributes are shown where |relevance| > 1/tau.
        sample: Which image it is.

    Returns:
        The explanation, on the device of `seen`.

    Raises:
        UserError: tau is not larger than 1.
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
    """Refuse class numbers that are out of range.

    Args:
        classes: Class numbers, [n].
        n_classes: The number of classes C.

    Raises:
        UserError: A class is outside 0 .. n_classes - 1.
    """
    if classes.numel() and not 0 <= int(classes.min()) <= int(classes.max()) < n_classes:
        raise UserError(
            f"Classes run from {int(classes.min())} to {int(classes.max())}, and must be within "
            f"0 to {n_classes - 1}. Check that the labels are those of this model's data set."
        )
