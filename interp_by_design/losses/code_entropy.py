"""Conciseness and diversity of attributes by entropies of codes, and the magnitude term."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.losses.all_reduce import mean_over_processes
from interp_by_design.terms import Attributes, Scalar

Codes = Literal["sum", "softmax"]

# Smooths codes around the all-zero one; small against an active attribute (about 1), large enough
# for a bounded gradient at zero.
SMOOTHING = 1e-3


def conciseness(attributes: Attributes, codes: Codes = "sum") -> Scalar:
    """Compute L = mean_x H(code of x) - H(code of the batch).

    It makes each sample's attributes few, and all attributes used.

    sum:     the code of x is (Φ + ε) / Σ_j (Φ_j + ε), ε = 1e-3; that of the batch its mean over x
    softmax: the code of x is softmax(Φ(x)); that of the batch softmax(mean_x Φ(x))

    The code of the batch is taken over all processes.

    Args:
        attributes: Φ(x), [n, J].
        codes: How attributes become a code.

    Returns:
        The loss in nats, -log J to log J.

    Source: FLINT, section 3.2 (L_cd without its magnitude), with softmax codes. Those reward large
    magnitudes, and a dead dictionary is an optimum of their diversity. Codes normalised by their
    sum are free of scale, and uniform where Φ is zero, so that the all-zero dictionary is no
    optimum.

    >>> round(conciseness(torch.eye(2)).item(), 2)  # one attribute a sample, each used once
    -0.69
    """
    if codes == "softmax":
        size = attributes.abs()  # as the official code does, whose attributes may be negative
        return softmax_entropy(size) - softmax_entropy(
            mean_over_processes(size.mean(dim=0, keepdim=True))
        )
    code = sum_code(attributes)
    return entropy(code) - entropy(mean_over_processes(code.mean(dim=0, keepdim=True)))


def sum_code(attributes: Attributes) -> Attributes:
    """Compute p = (Φ + ε) / Σ_j (Φ_j + ε).

    Args:
        attributes: Φ, [n, J], >= 0.

    Returns:
        Rows that sum to 1, [n, J], uniform where Φ is zero.

    >>> sum_code(torch.zeros(1, 4)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    smoothed = attributes + SMOOTHING
    return smoothed / smoothed.sum(dim=1, keepdim=True)


def entropy(code: Float[Tensor, "rows attributes"]) -> Scalar:
    """Compute H(p) = mean over rows of - Σ_j p_j log p_j.

    Args:
        code: Rows that sum to 1, [n, J].

    Returns:
        The mean entropy in nats: 0 for a single attribute, log J for equal ones.

    >>> entropy(torch.tensor([[1.0, 0.0]])).item()
    0.0
    """
    each: Tensor = torch.special.entr(code)
    return each.sum() / len(code)


def softmax_entropy(attributes: Float[Tensor, "rows attributes"]) -> Scalar:
    """Compute H(softmax(Φ)) from the log-softmax.

    It is finite, and has finite gradients, for attributes of any size.

    Args:
        attributes: Φ, [n, J].

    Returns:
        The mean entropy over the rows in nats, 0..log J.
    """
    log_p = attributes.log_softmax(dim=1)
    return -(log_p.exp() * log_p).sum() / len(log_p)


def magnitude(attributes: Attributes) -> Scalar:
    """Compute the mean of |φ_j(x)|, which bounds the scale that entropies leave free.

    Args:
        attributes: Φ(x), [n, J].

    Returns:
        The mean over samples and attributes, >= 0.

    Source: FLINT, section 3.2 (η ||Φ||_1), with the mean of its official code for the printed sum:
        η is
    in that code's units.

    >>> magnitude(torch.tensor([[0.0, 2.0]])).item()
    1.0
    """
    return attributes.abs().mean()
