"""A rival: a linear probe of low rank, learned with the head by output fidelity alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import (
    AttributeDictionary,
    checked_active,
    checked_pairs,
    k_largest,
)
from interp_by_design.attributes.pooled_features import all_features, cell_count
from interp_by_design.attributes.spatial_contributions import (
    SpatialContributions,
    linear_evidence,
    scale_of,
    signed_weights,
)
from interp_by_design.terms import Attributes


@final
class LinearProbeDictionary(AttributeDictionary):
    """Φ = TopK_k(relu([W z, -W z])), z the standardised hidden layers, maps pooled to a grid of `pooled` x `pooled` cells.

    W has J/2 signed directions: attribute j is the positive part of direction j, attribute J/2 + j its negative part, so that at
    most k, and at most J/2, are active. With the linear head this is a linear probe of rank J/2 that shows its k largest terms.
    What it learns from is for the objective to say: a probe knows output fidelity alone (gamma=0, delta=0).

    Source: linear probes, Alain and Bengio (2016), arXiv 1610.01644. Departs from them in the bounded rank, the split and k.
    """

    def __init__(
        self, shapes: Sequence[torch.Size], n_attributes: int, k: int, pooled: int = 3
    ) -> None:
        """Raises `UserError` unless n_attributes is even, 1 <= k <= n_attributes and pooled >= 1."""
        super().__init__()
        directions = checked_pairs(n_attributes)
        self.n_attributes, self.k, self.pooled = (
            n_attributes,
            checked_active(k, n_attributes),
            pooled,
        )
        width = cell_count(shapes, pooled)
        self.standardise = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, directions, bias=False)

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        return k_largest(
            split(self.weights(self.standardise(all_features(hidden, self.pooled)))), self.k
        )

    def evidence(self, hidden: Sequence[Tensor], weights: Attributes) -> SpatialContributions:
        directions = signed_weights(weights) @ self.weights.weight * scale_of(self.standardise)
        mean = cast("Tensor", self.standardise.running_mean)
        return linear_evidence(
            hidden, self.pooled, directions, mean, weights.new_zeros(len(weights))
        )


def split(signed: Tensor) -> Attributes:
    """[n, J/2] of either sign to [n, J] >= 0: first all positive parts, then all negative ones."""
    return torch.cat([signed, -signed], dim=1).relu()
