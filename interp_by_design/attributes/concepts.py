"""Concept-bottleneck baseline: probabilities of concepts that the data labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary, check_count
from interp_by_design.attributes.pooled_features import all_features, feature_count
from interp_by_design.attributes.spatial_contributions import (
    SpatialContributions,
    inverse_deviation,
    linear_contributions,
)
from interp_by_design.terms import Attributes


@final
class ConceptDictionary(AttributeDictionary):
    """`Φ = sigmoid(W z + b)`, z the standardised hidden layers.

    Each attribute is the probability of one concept; `interpreter=concept_bottleneck` supplies the
    labels.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        n_attributes: The number of concepts J.
        pooled: The side of the grid that maps are averaged to.

    Raises:
        UserError: A number is below 1.

    Source: the concept layer of Koh et al. (2020), "Concept bottleneck models", arXiv 2007.04612,
    section 3.
    """

    def __init__(self, shapes: Sequence[torch.Size], n_attributes: int, pooled: int = 3) -> None:
        super().__init__()
        self.n_attributes, self.pooled = check_count(n_attributes), pooled
        width = feature_count(shapes, pooled)
        self.standardise = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, n_attributes)

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        scores: Tensor = self.weights(self.standardise(all_features(hidden, self.pooled)))
        return scores.sigmoid()

    def spatial_contributions(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions:
        """Return the contributions to the scores before the sigmoid.

        Args:
            hidden: The hidden layers of n samples.
            weights: The weight of each attribute in the sum, [n, J].

        Returns:
            The contributions.
        """
        directions = weights @ self.weights.weight * inverse_deviation(self.standardise)
        mean = cast("Tensor", self.standardise.running_mean)
        constant = weights @ self.weights.bias
        return linear_contributions(hidden, self.pooled, directions, mean, constant)
