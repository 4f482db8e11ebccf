"""Prototype baseline: distances to learned prototypes in the hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary, check_count
from interp_by_design.attributes.pooled_features import Features, all_features, feature_count
from interp_by_design.terms import Attributes


@final
class PrototypeDictionary(AttributeDictionary):
    """`φ_k(x) = ||z - p_k||²`: squared distances of the hidden layers z to J prototypes.

    z are all hidden layers as one vector; published for one vector, the latent code of 40 numbers.
    No attribute is ever off.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        n_attributes: The number of prototypes J.
        pooled: The side of the grid that maps are averaged to.

    Raises:
        UserError: A number is below 1.

    Source: Li et al. (2018), "Deep learning for case-based reasoning through prototypes",
    arXiv 1710.04806, section 3.
    """

    def __init__(self, shapes: Sequence[torch.Size], n_attributes: int, pooled: int = 3) -> None:
        super().__init__()
        self.n_attributes, self.pooled = check_count(n_attributes), pooled
        self.prototypes = nn.Parameter(torch.rand(n_attributes, feature_count(shapes, pooled)))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        return (self.code(hidden)[:, None] - self.prototypes).square().sum(dim=2)

    def code(self, hidden: Sequence[Tensor]) -> Features:
        """Return z, which distances are taken from.

        Args:
            hidden: The hidden layers of n samples.

        Returns:
            The pooled features, [n, d].
        """
        return all_features(hidden, self.pooled)
