"""The default dictionary: signed directions, each of which gives two attributes, read from any mix of maps and vectors."""

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
from interp_by_design.terms import Attributes, HeadWeights

SIDE = 2  # classes that a direction speaks for at first, and as many that it speaks against
FIRST_WEIGHT = 0.3


@final
class SignedDictionary(AttributeDictionary):
    """Φ = TopK_k(relu([s, -s])), s = BN(W z), z the standardised hidden layers, maps pooled to `pooled` x `pooled` cells.

    W has D = ceil(J/2) directions: attribute j is the positive part of direction j, attribute D + j its negative part; where J is
    odd the last direction has no negative part. The parts of a direction exclude each other, so that at most D are active. With
    k = D nothing competes, and Φ is a continuous function of the image that loses nothing of s; a smaller k keeps the k largest.

    h starts from a fixed code: each direction speaks for two classes and against two others. So classes begin with signatures of
    their own, and the directions of two seeds with the same roles.

    Standardising s keeps each direction's two parts in use, so that neither dies.

    Source: the house's own. Concatenated ReLU is that of Shang et al. (2016), arXiv 1603.05201; codes for classes are those of
    Dietterich and Bakiri (1995), arXiv cs/9501101.
    """

    def __init__(
        self, shapes: Sequence[torch.Size], n_attributes: int, k: int | None = None, pooled: int = 3
    ) -> None:
        """k: at most so many active attributes; None for D. Raises `UserError` unless 1 <= k <= n_attributes and pooled >= 1."""
        super().__init__()
        self.n_attributes = checked_count(n_attributes)
        directions = (n_attributes + 1) // 2
        self.k, self.pooled = directions if k is None else checked_active(k, n_attributes), pooled
        width = cell_count(shapes, pooled)
        self.standardise_inputs = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, directions, bias=False)
        self.standardise_directions = nn.BatchNorm1d(directions)

    def dense(self, hidden: Sequence[Tensor]) -> Attributes:
        z = torch.cat([pooled_features(layer, self.pooled) for layer in hidden], dim=1)
        signed = self.standardise_directions(self.weights(self.standardise_inputs(z)))
        return torch.cat([signed, -signed], dim=1)[:, : self.n_attributes].relu()

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        attributes = self.dense(hidden)
        return attributes if self.k >= self.weights.out_features else k_largest(attributes, self.k)

    def first_head(self, n_classes: int) -> HeadWeights:
        draws, side = torch.Generator().manual_seed(0), min(SIDE, n_classes // 2)
        code = torch.zeros(n_classes, self.weights.out_features)
        for direction in code.T:
            order = torch.randperm(n_classes, generator=draws)
            direction[order[:side]], direction[order[side : 2 * side]] = FIRST_WEIGHT, -FIRST_WEIGHT
        return torch.cat([code, -code], dim=1)[:, : self.n_attributes]

    def evidence(self, hidden: Sequence[Tensor], weights: Attributes) -> SpatialContributions:
        cells, directions = self.standardise_inputs, self.standardise_directions
        positive, negative = F.pad(weights, (0, self.n_attributes % 2)).chunk(2, dim=1)
        signed = positive - negative
        gain = signed * directions.weight * scale_of(directions)
        constant = signed @ directions.bias - gain @ cast("Tensor", directions.running_mean)
        mean = cast("Tensor", cells.running_mean)
        return linear_evidence(
            hidden, self.pooled, gain @ self.weights.weight * scale_of(cells), mean, constant
        )
