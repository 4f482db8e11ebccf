"""The predictor's own loss."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from interp_by_design.terms import Labels, Logits, Scalar


def prediction(
    predictor: Logits, labels: Labels, class_weights: Float[Tensor, "classes"] | None = None
) -> Scalar:
    """L_pred = mean_x  w_y CE(f(x), y), in nats, >= 0; every w_y is 1 without `class_weights`.

    The mean is over samples, not over their weights (torch's own reduction), so that the mean over ranks is that of one process.

    Source: FLINT, section 3.2; weights are ours.
    """
    if class_weights is None:
        return F.cross_entropy(predictor, labels)
    return F.cross_entropy(predictor, labels, class_weights, reduction="none").mean()
