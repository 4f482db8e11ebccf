"""Conciseness and diversity of attributes by entropies of codes, and the magnitude term that bounds them."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.losses.all_reduce import mean_over_processes
from interp_by_design.terms import Attributes, Scalar

Codes = Literal["sum", "softmax"]

# Smooths codes around the all-zero one; small against an active attribute (about 1), large enough for a bounded gradient at zero.
SMOOTHING = 1e-3


def conciseness(attributes: Attributes, codes: Codes = "sum") -> Scalar:
    """L = mean_x H(code of x) - H(code of the batch): each sample concise, all attributes used; in nats, -log J to log J.

    sum:     the code of x is (Φ + ε) / Σ_j (Φ_j + ε), ε = 1e-3, and that of the batch its mean over x
    softmax: the code of x is softmax(Φ(x)), and that of the batch softmax(mean_x Φ(x))

    Source: FLINT, section 3.2 (L_cd without its magnitude), with softmax codes. Those reward large magnitudes, and a dead
    dictionary is an optimum of their diversity. Codes normalised by their sum are free of scale, and uniform where Φ is zero,
    so that the all-zero dictionary is no optimum. Under DDP the code of the batch is taken over all ranks.
    """
    if codes == "softmax":
        size = attributes.abs()  # as the official code does, whose attributes may be negative
        return softmax_entropy(size) - softmax_entropy(
            mean_over_processes(size.mean(dim=0, keepdim=True))
        )
    code = sum_code(attributes)
    return entropy(code) - entropy(mean_over_processes(code.mean(dim=0, keepdim=True)))


def sum_code(attributes: Attributes) -> Attributes:
    """p = (Φ + ε) / Σ_j (Φ_j + ε): rows that sum to 1, uniform where Φ is zero."""
    smoothed = attributes + SMOOTHING
    return smoothed / smoothed.sum(dim=1, keepdim=True)


def entropy(code: Float[Tensor, "rows attributes"]) -> Scalar:
    """H(p) = mean over rows of - Σ_j p_j log p_j, in nats: 0 for a single attribute, log J for all alike."""
    each: Tensor = torch.special.entr(code)
    return each.sum() / len(code)


def softmax_entropy(attributes: Float[Tensor, "rows attributes"]) -> Scalar:
    """H(softmax(Φ)), from log-softmax: finite, and with finite gradients, for attributes of any size."""
    log_p = attributes.log_softmax(dim=1)
    return -(log_p.exp() * log_p).sum() / len(log_p)


def magnitude(attributes: Attributes) -> Scalar:
    """Mean over samples and attributes of |φ_j(x)|: keeps the scale that entropies leave free.

    Source: FLINT, section 3.2 (η ||Φ||_1), with the mean of its official code for the printed sum: η is in that code's units.
    """
    return attributes.abs().mean()
