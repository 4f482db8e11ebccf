"""Linear-probe baseline of low rank, learned with the head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary, check_active, k_largest
from interp_by_design.attributes.directions import direction_count, signed_parts, signed_weights
from interp_by_design.attributes.pooled_features import all_features, feature_count
from interp_by_design.attributes.spatial_contributions import (
    SpatialContributions,
    inverse_deviation,
    linear_contributions,
)
from interp_by_design.terms import Attributes


@final
class LinearProbeDictionary(AttributeDictionary):
    """Φ = TopK_k(relu([W z, -W z])), z the standardised hidden layers.

    W has J/2 signed directions: attribute j is the positive part of direction j, attribute J/2 + j
    its negative part, so that at most k, and at most J/2, are active. With the linear head this is
    a linear probe of rank J/2 that shows its k largest terms. A probe learns from output fidelity
    alone: set gamma=0 and delta=0 in the objective.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        n_attributes: The number of attributes J, even.
        k: The largest number of active attributes, 1..J.
        pooled: The side of the grid that maps are averaged to.

    Raises:
        UserError: A number is out of its range, or J is odd.

    Source: linear probes, Alain and Bengio (2016), arXiv 1610.01644. Departs from them in the
        bounded
    rank, the signed parts and k.
    """

    def __init__(
        self, shapes: Sequence[torch.Size], n_attributes: int, k: int, pooled: int = 3
    ) -> None:
        super().__init__()
        directions = direction_count(n_attributes)
        self.n_attributes, self.k = n_attributes, check_active(k, n_attributes)
        self.pooled = pooled
        width = feature_count(shapes, pooled)
        self.standardise = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, directions, bias=False)

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        signed = self.weights(self.standardise(all_features(hidden, self.pooled)))
        return k_largest(signed_parts(signed, self.n_attributes), self.k)

    def spatial_contributions(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions:
        scale = inverse_deviation(self.standardise)
        directions = signed_weights(weights) @ self.weights.weight * scale
        mean = cast("Tensor", self.standardise.running_mean)
        constant = weights.new_zeros(len(weights))
        return linear_contributions(hidden, self.pooled, directions, mean, constant)
