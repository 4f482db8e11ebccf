"""Dictionary with exactly k active attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import (
    AttributeDictionary,
    check_active,
    check_count,
    k_largest,
)
from interp_by_design.attributes.pooled_features import feature_count
from interp_by_design.attributes.spatial_contributions import SpatialContributions
from interp_by_design.attributes.standardised_linear import (
    score_contributions,
    standardised_scores,
)
from interp_by_design.terms import Attributes


@final
class TopKDictionary(AttributeDictionary):
    """Φ = TopK_k(softplus(BN(W z))), z the standardised hidden layers.

    Exactly k attributes are active on each sample. Standardising z, and each attribute before the
    competition, keeps every attribute in use: a large mean relative to the spread makes TopK units
    die.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        n_attributes: The number of attributes J.
        k: The number of active attributes, 1..J.
        pooled: The side of the grid that maps are averaged to.
        continuous: Whether attributes are what the k largest have beyond the largest of the others,
            so that Φ is a continuous function of the image. Otherwise an attribute that barely wins
            or loses its place appears or disappears at full size, and decisions with it.

    Raises:
        UserError: A number is out of its range.

    Source: TopK autoencoders (Makhzani and Frey, 2013, arXiv 1312.5663; Gao et al., 2024,
    arXiv 2406.04093); the pooled grid is FLINT's. Departs from them in reading several layers, in
    softplus for ReLU, in the two standardisations, and in `continuous`.
    """

    def __init__(
        self,
        shapes: Sequence[torch.Size],
        n_attributes: int,
        k: int,
        pooled: int = 3,
        continuous: bool = False,
    ) -> None:
        super().__init__()
        self.n_attributes = check_count(n_attributes)
        self.k, self.pooled = check_active(k, n_attributes), pooled
        self.continuous = continuous and k < n_attributes
        width = feature_count(shapes, pooled)
        self.standardise_inputs = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, n_attributes, bias=False)
        self.standardise_attributes = nn.BatchNorm1d(n_attributes)

    def dense(self, hidden: Sequence[Tensor]) -> Attributes:
        return F.softplus(standardised_scores(hidden, *self._layers))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        attributes = self.dense(hidden)
        if self.continuous:
            largest, which = attributes.topk(self.k + 1, dim=1)
            which, largest = which[:, :-1], largest[:, :-1] - largest[:, -1:]
            return torch.zeros_like(attributes).scatter(1, which, largest)
        return k_largest(attributes, self.k)

    def spatial_contributions(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions:
        return score_contributions(hidden, *self._layers, weights)

    @property
    def _layers(self) -> tuple[int, nn.BatchNorm1d, nn.Linear, nn.BatchNorm1d]:
        return self.pooled, self.standardise_inputs, self.weights, self.standardise_attributes
