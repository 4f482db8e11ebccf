"""Default dictionary of signed directions, each of which gives two attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import (
    AttributeDictionary,
    check_active,
    check_count,
    k_largest,
)
from interp_by_design.attributes.directions import signed_parts, signed_weights
from interp_by_design.attributes.pooled_features import feature_count
from interp_by_design.attributes.spatial_contributions import SpatialContributions
from interp_by_design.attributes.standardised_linear import (
    score_contributions,
    standardised_scores,
)
from interp_by_design.terms import Attributes, HeadWeights

MAX_CLASSES_PER_SIGN = 2  # of a direction's initial code: two classes for it and two against it
INITIAL_WEIGHT = 0.3  # of these classes


@final
class SignedDictionary(AttributeDictionary):
    """Φ = TopK_k(relu([s, -s])), s = BN(W z), z the standardised hidden layers.

    Maps are averaged to a grid of `pooled` x `pooled` cells. W has D = ceil(J/2) directions:
    attribute j is the positive part of direction j, attribute D + j its negative part; where J is
    odd the last direction has no negative part. The parts of a direction exclude each other, so
    that at most D are active. With k = D nothing competes, and Φ is a continuous function of the
    image that keeps all of s; a smaller k keeps the k largest. Standardising s keeps both parts of
    each direction in use.

    h starts from a fixed code: each direction speaks for two classes and against two others.
    Classes thus begin with signatures of their own, and the directions of two seeds with the same
    roles.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        n_attributes: The number of attributes J.
        k: The largest number of active attributes, 1..J; None for D.
        pooled: The side of the grid that maps are averaged to.

    Raises:
        UserError: A number is out of its range.

    Source: Original to this project. Concatenated ReLU is that of Shang et al. (2016), arXiv
        1603.05201;
    codes for classes are those of Dietterich and Bakiri (1995), arXiv cs/9501101.
    """

    def __init__(
        self, shapes: Sequence[torch.Size], n_attributes: int, k: int | None = None, pooled: int = 3
    ) -> None:
        super().__init__()
        self.n_attributes = check_count(n_attributes)
        directions = (n_attributes + 1) // 2
        self.k = directions if k is None else check_active(k, n_attributes)
        self.pooled = pooled
        width = feature_count(shapes, pooled)
        self.standardise_inputs = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, directions, bias=False)
        self.standardise_directions = nn.BatchNorm1d(directions)

    def dense(self, hidden: Sequence[Tensor]) -> Attributes:
        return signed_parts(standardised_scores(hidden, *self._layers), self.n_attributes)

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        attributes = self.dense(hidden)
        return attributes if self.k >= self.weights.out_features else k_largest(attributes, self.k)

    def first_head(self, n_classes: int) -> HeadWeights:
        draws = torch.Generator().manual_seed(0)
        side = min(MAX_CLASSES_PER_SIGN, n_classes // 2)
        code = torch.zeros(n_classes, self.weights.out_features)
        for direction in code.T:
            order = torch.randperm(n_classes, generator=draws)
            direction[order[:side]] = INITIAL_WEIGHT
            direction[order[side : 2 * side]] = -INITIAL_WEIGHT
        return torch.cat([code, -code], dim=1)[:, : self.n_attributes]

    def spatial_contributions(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions:
        return score_contributions(hidden, *self._layers, signed_weights(weights))

    @property
    def _layers(self) -> tuple[int, nn.BatchNorm1d, nn.Linear, nn.BatchNorm1d]:
        return self.pooled, self.standardise_inputs, self.weights, self.standardise_directions
