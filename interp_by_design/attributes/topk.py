"""The default dictionary: exactly k active attributes, read from any mix of maps and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import (
    AttributeDictionary,
    checked_active,
    checked_count,
    k_largest,
)
from interp_by_design.attributes.pooled_features import cell_count, pooled_features
from interp_by_design.attributes.spatial_contributions import (
    SpatialContributions,
    linear_evidence,
    scale_of,
)
from interp_by_design.terms import Attributes


@final
class TopKDictionary(AttributeDictionary):
    """Φ = TopK_k(softplus(BN(W z))), z the standardised hidden layers, maps pooled to a grid of `pooled` x `pooled` cells.

    Exactly k attributes are active on each sample. Standardising z, and each attribute before the competition, keeps every
    attribute in the running, so that none dies: a large mean relative to the spread is what kills TopK units.

    continuous: attributes are what the k largest have beyond the largest of the others, so that Φ is a continuous function of the
        image. Otherwise an attribute that wins or loses its place by a hair comes or goes at full size, and decisions with it.

    Source: TopK autoencoders (Makhzani and Frey, 2013, arXiv 1312.5663; Gao et al., 2024, arXiv 2406.04093); the pooled grid is
    FLINT's. Departs from them in reading several layers, in softplus for ReLU, in the two standardisations, and in
    `continuous`.
    """

    def __init__(
        self,
        shapes: Sequence[torch.Size],
        n_attributes: int,
        k: int,
        pooled: int = 3,
        continuous: bool = False,
    ) -> None:
        """Raises `UserError` unless 1 <= k <= n_attributes and pooled >= 1."""
        super().__init__()
        self.n_attributes = checked_count(n_attributes)
        self.k, self.pooled = checked_active(k, n_attributes), pooled
        self.continuous = continuous and k < n_attributes
        width = cell_count(shapes, pooled)
        self.standardise_inputs = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, n_attributes, bias=False)
        self.standardise_attributes = nn.BatchNorm1d(n_attributes)

    def dense(self, hidden: Sequence[Tensor]) -> Attributes:
        z = torch.cat([pooled_features(layer, self.pooled) for layer in hidden], dim=1)
        return F.softplus(self.standardise_attributes(self.weights(self.standardise_inputs(z))))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        attributes = self.dense(hidden)
        if self.continuous:
            largest, which = attributes.topk(self.k + 1, dim=1)
            which, largest = which[:, :-1], largest[:, :-1] - largest[:, -1:]
            return torch.zeros_like(attributes).scatter(1, which, largest)
        return k_largest(attributes, self.k)

    def evidence(self, hidden: Sequence[Tensor], weights: Attributes) -> SpatialContributions:
        cells, attributes = self.standardise_inputs, self.standardise_attributes
        gain = weights * attributes.weight * scale_of(attributes)
        constant = weights @ attributes.bias - gain @ cast("Tensor", attributes.running_mean)
        mean = cast("Tensor", cells.running_mean)
        return linear_evidence(
            hidden, self.pooled, gain @ self.weights.weight * scale_of(cells), mean, constant
        )
