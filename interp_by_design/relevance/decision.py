"""Decision of g from a subset of the attributes."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.terms import Attributes, HeadWeights, Logits


def decide_from(
    attributes: Attributes,
    head_weights: HeadWeights,
    head_bias: Float[Tensor, "classes"],
    kept: Bool[Tensor, "n attributes"],
) -> Logits:
    """Compute `sum_{j kept} phi_j w_{j,c} + b_c`: the logits of g with all other attributes at 0.

    Args:
        attributes: Φ(x), [n, J].
        head_weights: The weights of h, [C, J].
        head_bias: The bias of h, [C].
        kept: The attributes that take part in each row's decision, [n, J].

    Returns:
        The logits, [n, C].

    >>> import torch
    >>> phi, weights = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> decide_from(phi, weights, torch.zeros(2), torch.tensor([[True, False]])).tolist()
    [[1.0, 0.0]]
    """
    return (attributes * kept) @ head_weights.T + head_bias
