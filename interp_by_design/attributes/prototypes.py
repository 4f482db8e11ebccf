"""A rival by design: distances to prototypes in a hidden layer, which themselves are learned. Knows nothing of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary, checked_count
from interp_by_design.attributes.pooled_features import all_features, cell_count
from interp_by_design.terms import Attributes


@final
class PrototypeDictionary(AttributeDictionary):
    """`φ_k(x) = ||z - p_k||²`: how far the hidden layers z are from each of J prototypes. No attribute is ever off.

    z are all hidden layers as one vector, maps pooled to a grid of `pooled` x `pooled` cells; published for one vector, the
    latent code of 40 numbers.

    Source: Li et al. (2018), "Deep learning for case-based reasoning through prototypes", arXiv 1710.04806, section 3.
    """

    def __init__(self, shapes: Sequence[torch.Size], n_attributes: int, pooled: int = 3) -> None:
        """Raises `UserError` unless n_attributes >= 1 and pooled >= 1."""
        super().__init__()
        self.n_attributes, self.pooled = checked_count(n_attributes), pooled
        self.prototypes = nn.Parameter(torch.rand(n_attributes, cell_count(shapes, pooled)))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        return (self.code(hidden)[:, None] - self.prototypes).square().sum(dim=2)

    def code(self, hidden: Sequence[Tensor]) -> Tensor:
        """z, [n, d]."""
        return all_features(hidden, self.pooled)
