"""Conciseness and diversity of attributes: entropies of codes, and the magnitude term that bounds them."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from interp_by_design.terms import Attributes, Scalar

MeanCode = Float[Tensor, "1 attributes"]

# Smooths codes around the all-zero one; small against an active attribute (about 1), large enough for a bounded gradient at zero.
SMOOTHING = 1e-3


def softmax_codes(attributes: Attributes) -> tuple[Attributes, MeanCode]:
    """`log p` and `log q` of the paper's codes: p = softmax(Φ(x)), one a sample, and q = softmax(mean_x Φ(x)) [1, J].

    The all-zero dictionary makes both uniform: concise only by large magnitudes, and a dead dictionary is a perfect optimum of
    diversity.

    Source: FLINT, section 3.2 (L_cd).
    """
    return attributes.log_softmax(dim=1), attributes.mean(dim=0, keepdim=True).log_softmax(dim=1)


def sum_codes(attributes: Attributes) -> tuple[Attributes, MeanCode]:
    """`log p` and `log q` of codes normalised by their sum: p = (Φ + ε) / Σ_j (Φ_j + ε), and q = mean_x p [1, J], ε = 1e-3.

    Defined at sum 0, where p is uniform: there H(p) is at its largest, so the all-zero code is the worst, not an optimum. Free
    of the attributes' scale, unlike softmax codes.
    """
    p = (attributes + SMOOTHING) / (attributes + SMOOTHING).sum(dim=1, keepdim=True)
    return p.log(), p.mean(dim=0, keepdim=True).log()


def entropy(log_p: Float[Tensor, "rows attributes"]) -> Scalar:
    """H = mean over rows of - Σ_j p_j log p_j; in nats, from 0 (one attribute) to log J (all alike).

    L_cd = H(one code a sample) - H(the batch's mean code) + η · magnitude: each sample concise, all attributes used.

    Source: FLINT, section 3.2. Computed from log p, so finite for attributes of any size.
    """
    return -(log_p.exp() * log_p).sum(dim=1).mean()


def magnitude(attributes: Attributes) -> Scalar:
    """mean over samples and attributes of |φ_j(x)|: keeps the scale that entropies leave free.

    Source: FLINT, section 3.2 (η ||Φ||_1), with the mean of its official code for the printed sum: η is in that code's units.
    """
    return attributes.abs().mean()
