"""Classification loss of the predictor."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from interp_by_design.terms import Labels, Logits, Scalar


def prediction(
    predictor: Logits, labels: Labels, class_weights: Float[Tensor, "classes"] | None = None
) -> Scalar:
    """Compute L_pred = mean_x  w_y CE(f(x), y).

    The mean is over samples and not over their weights (torch's own reduction), so that the mean
    over processes is that of one process.

    Args:
        predictor: The logits of f, [n, C].
        labels: y, [n].
        class_weights: w, [C]; None for weights of 1.

    Returns:
        The loss in nats, >= 0.

    Source: FLINT, section 3.2; the weights are original to this project.

    >>> import torch
    >>> logits, labels = torch.zeros(1, 2), torch.tensor([1])
    >>> round(prediction(logits, labels).item(), 3)
    0.693
    >>> round(prediction(logits, labels, torch.tensor([1.0, 2.0])).item(), 3)
    1.386
    """
    if class_weights is None:
        return F.cross_entropy(predictor, labels)
    return F.cross_entropy(predictor, labels, class_weights, reduction="none").mean()
