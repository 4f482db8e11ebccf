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
    """Compute the cross-entropy between the decisions of f and g.

    trained: L_of = - mean_x  softmax(f(x))^T log_softmax(g(x)),   f a constant: g learns from f
    printed: L_of = - mean_x  softmax(g(x))^T log_softmax(f(x)),   f learns too
    mutual:  the sum of both, the target a constant in each: f also learns to stay close to g

    Args:
        interpreter: The logits of g, [n, C].
        predictor: The logits of f, [n, C].
        direction: Which of the three forms.

    Returns:
        The loss in nats, >= 0.

    Source: FLINT, section 3.2; "printed" is the paper's formula, "trained" what its official code
    minimises. The printed form has a free f and an unpenalised collapse of g onto f's largest
    class. "mutual" is deep mutual learning, Zhang et al. (2018), arXiv 1706.00384, equations 3 to
    6, up to the entropies of the constants.

    >>> import torch
    >>> f = torch.tensor([[9.0, 0.0]])
    >>> output_fidelity(f, f).item() < output_fidelity(-f, f).item()
    True
    """
    if direction == "printed":
        return F.cross_entropy(predictor, interpreter.softmax(dim=1))
    loss = F.cross_entropy(interpreter, predictor.detach().softmax(dim=1))
    if direction == "trained":
        return loss
    return loss + F.cross_entropy(predictor, interpreter.detach().softmax(dim=1))


def input_fidelity(reconstruction: Images, images: Images, distance: Distance = "mse") -> Scalar:
    """Compute L_if = mean of (d(Φ(x)) - x)², or of |d(Φ(x)) - x| with "l1".

    Args:
        reconstruction: d(Φ(x)), [n, c, h, w].
        images: x in [0, 1], [n, c, h, w].
        distance: Which of the two forms.

    Returns:
        The mean over samples and pixels, >= 0, in image units.

    Source: FLINT, section 3.2, with the mean of its official code for the printed sum; "l1" is what
        that
    code uses for CIFAR-10.

    >>> import torch
    >>> blank, grey = torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.5)
    >>> input_fidelity(grey, blank).item(), input_fidelity(grey, blank, "l1").item()
    (0.25, 0.5)
    """
    if distance == "mse":
        return F.mse_loss(reconstruction, images)
    return F.l1_loss(reconstruction, images)
