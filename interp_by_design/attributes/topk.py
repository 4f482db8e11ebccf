"""The default dictionary: exactly k active attributes, read from any mix of maps and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary, checked_active, checked_count
from interp_by_design.terms import Attributes, UserError


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
        self, shapes: Sequence[torch.Size], n_attributes: int, k: int, pooled: int = 3, continuous: bool = False
    ) -> None:
        """Raises `UserError` unless 1 <= k <= n_attributes and pooled >= 1."""
        super().__init__()
        self.n_attributes = checked_count(n_attributes)
        if pooled < 1:
            raise UserError(f"pooled is the side of the grid that maps are pooled to, at least 1, not {pooled}.")
        self.k, self.pooled = checked_active(k, n_attributes), pooled
        self.continuous = continuous and k < n_attributes
        width = sum(_cells(shape, pooled) for shape in shapes)
        self.standardise_inputs = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, n_attributes, bias=False)
        self.standardise_attributes = nn.BatchNorm1d(n_attributes)

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        z = torch.cat([pooled_cells(layer, self.pooled) for layer in hidden], dim=1)
        attributes = F.softplus(self.standardise_attributes(self.weights(self.standardise_inputs(z))))
        if self.continuous:
            largest, which = attributes.topk(self.k + 1, dim=1)
            which, largest = which[:, :-1], largest[:, :-1] - largest[:, -1:]
        else:
            largest, which = attributes.topk(self.k, dim=1)
        return torch.zeros_like(attributes).scatter(1, which, largest)


def pooled_cells(layer: Tensor, side: int) -> Tensor:
    """A vector as it is; a map averaged to at most `side` x `side` equal cells that cover it, flattened: [n, d].

    Equal windows (stride floor(size / side), overlapping where they must) are several times faster than adaptive pooling.
    """
    if layer.ndim == 2:
        return layer
    height, width = (min(side, size) for size in layer.shape[2:])
    strides = layer.shape[2] // height, layer.shape[3] // width
    windows = layer.shape[2] - (height - 1) * strides[0], layer.shape[3] - (width - 1) * strides[1]
    return F.avg_pool2d(layer, windows, strides).flatten(1)


def _cells(shape: torch.Size, side: int) -> int:
    """How many numbers `pooled_cells` makes of a layer of this shape."""
    return shape[0] * min(side, shape[1]) * min(side, shape[2]) if len(shape) == 3 else shape[0]
