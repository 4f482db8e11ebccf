"""A rival: probabilities of concepts, read off the hidden layers; which concepts, others say. Knows nothing of their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary, checked_count
from interp_by_design.attributes.pooled_features import all_features, cell_count
from interp_by_design.attributes.spatial_contributions import (
    SpatialContributions,
    linear_evidence,
    scale_of,
)
from interp_by_design.terms import Attributes


@final
class ConceptDictionary(AttributeDictionary):
    """`Φ = sigmoid(W z + b)`, z the standardised hidden layers, maps pooled to a grid of `pooled` x `pooled` cells.

    Each attribute is the probability of one concept; `interpreter=concept_bottleneck` teaches it which.

    Source: the concept layer of Koh et al. (2020), "Concept bottleneck models", arXiv 2007.04612, section 3.
    """

    def __init__(self, shapes: Sequence[torch.Size], n_attributes: int, pooled: int = 3) -> None:
        """Raises `UserError` unless n_attributes >= 1 and pooled >= 1."""
        super().__init__()
        self.n_attributes, self.pooled = checked_count(n_attributes), pooled
        width = cell_count(shapes, pooled)
        self.standardise = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, n_attributes)

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        scores: Tensor = self.weights(self.standardise(all_features(hidden, self.pooled)))
        return scores.sigmoid()

    def evidence(self, hidden: Sequence[Tensor], weights: Attributes) -> SpatialContributions:
        """Of the scores before the sigmoid."""
        directions = weights @ self.weights.weight * scale_of(self.standardise)
        mean = cast("Tensor", self.standardise.running_mean)
        return linear_evidence(hidden, self.pooled, directions, mean, weights @ self.weights.bias)
