"""Linear scores of pooled features, standardised before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.attributes.pooled_features import pooled_features
from interp_by_design.attributes.spatial_contributions import (
    SpatialContributions,
    inverse_deviation,
    linear_contributions,
)


def standardised_scores(
    hidden: Sequence[Tensor],
    pooled: int,
    inputs: nn.BatchNorm1d,
    weights: nn.Linear,
    outputs: nn.BatchNorm1d,
) -> Float[Tensor, "n scores"]:
    """Compute `s = BN(W z)`, z the standardised pooled features.

    Args:
        hidden: The hidden layers of n samples.
        pooled: The side of the grid that maps are averaged to.
        inputs: Standardises the pooled features.
        weights: W, without a bias.
        outputs: Standardises W z, with a learned gain and bias.

    Returns:
        The scores, [n, scores].
    """
    features = torch.cat([pooled_features(layer, pooled) for layer in hidden], dim=1)
    scores: Tensor = outputs(weights(inputs(features)))
    return scores


def score_contributions(
    hidden: Sequence[Tensor],
    pooled: int,
    inputs: nn.BatchNorm1d,
    weights: nn.Linear,
    outputs: nn.BatchNorm1d,
    sum_weights: Float[Tensor, "n scores"],
) -> SpatialContributions:
    """Split a weighted sum of `standardised_scores`, when not training, over positions.

    Args:
        hidden: The hidden layers of n samples.
        pooled: The side of the grid that maps are averaged to.
        inputs: Standardises the pooled features.
        weights: W, without a bias.
        outputs: Standardises W z, with a learned gain and bias.
        sum_weights: The weight of each score in the sum, [n, scores].

    Returns:
        The contributions, which add up to the sum.
    """
    gain = sum_weights * outputs.weight * inverse_deviation(outputs)
    constant = sum_weights @ outputs.bias - gain @ cast("Tensor", outputs.running_mean)
    directions = gain @ weights.weight * inverse_deviation(inputs)
    mean = cast("Tensor", inputs.running_mean)
    return linear_contributions(hidden, pooled, directions, mean, constant)
