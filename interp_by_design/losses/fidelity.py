"""Fidelity of the interpreter to the predictor's output and to the input."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F

from interp_by_design.terms import Images, Logits, Scalar

Direction = Literal["trained", "printed", "mutual"]
Distance = Literal["mse", "l1"]


def output_fidelity(
    interpreter: Logits, predictor: Logits, direction: Direction = "trained"
) -> Scalar:
    """Cross-entropy between the decisions of f and g, from the logits of both; in nats, >= 0.

    trained: L_of = - mean_x  softmax(f(x))^T log_softmax(g(x)),   f a constant: g learns from f
    printed: L_of = - mean_x  softmax(g(x))^T log_softmax(f(x)),   f learns too
    mutual:  the sum of both, the side that is learned from a constant in each: f also learns to stay near what g can say

    Source: FLINT, section 3.2; "printed" is the paper's formula, "trained" what its official code minimises. The printed form
    has a free f and an unpenalised collapse of g onto f's largest class. "mutual" is deep mutual learning, Zhang et al. (2018),
    arXiv 1706.00384, equations 3 to 6, up to the entropies of the constants.
    """
    if direction == "printed":
        return F.cross_entropy(predictor, interpreter.softmax(dim=1))
    loss = F.cross_entropy(interpreter, predictor.detach().softmax(dim=1))
    return (
        loss
        if direction == "trained"
        else loss + F.cross_entropy(predictor, interpreter.detach().softmax(dim=1))
    )


def input_fidelity(reconstruction: Images, images: Images, distance: Distance = "mse") -> Scalar:
    """L_if = mean over samples and pixels of (d(Φ(x)) - x)^2, or of |d(Φ(x)) - x| with "l1"; in [0, 1] image units.

    Source: FLINT, section 3.2, with the mean of its official code for the printed sum; "l1" is what that code uses for CIFAR-10.
    """
    return (
        F.mse_loss(reconstruction, images)
        if distance == "mse"
        else F.l1_loss(reconstruction, images)
    )
