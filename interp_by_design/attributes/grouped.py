"""A factorial dictionary: attributes in groups, and in each group they compete for one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary
from interp_by_design.attributes.pooled_features import all_features, cell_count
from interp_by_design.terms import Attributes, UserError

FEWEST = 2  # attributes of a group: one alone would always be 1


@final
class GroupedDictionary(AttributeDictionary):
    """Φ = [softmax(s_1), …, softmax(s_G)], s = BN(W z), z the hidden layers, maps pooled to `pooled` x `pooled` cells.

    The attributes of a group share a mass of 1, so that an image has about one of each group: with groups of 3 and 2, five
    attributes tell six classes apart, and a linear head over them adds what the two groups say. A class cannot have an attribute
    of its own.

    Source: the house's own; a vector of one-of-k codes is a factorial code (Hinton and Zemel, 1994).
    """

    def __init__(
        self, shapes: Sequence[torch.Size], groups: Sequence[int], pooled: int = 3
    ) -> None:
        """groups: how many attributes each has. Raises `UserError` unless there is one, each of 2 or more, and pooled >= 1."""
        super().__init__()
        if not groups or not all(isinstance(size, int) and size >= FEWEST for size in groups):
            raise UserError(
                f"groups are how many attributes each group has, whole numbers from {FEWEST}, not {list(groups)}."
            )
        self.groups, self.pooled, self.n_attributes = tuple(groups), pooled, sum(groups)
        width = cell_count(shapes, pooled)
        self.standardise_inputs = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, self.n_attributes, bias=False)
        self.standardise_scores = nn.BatchNorm1d(self.n_attributes)

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        cells = all_features(hidden, self.pooled).to(self.weights.weight.dtype)
        scores = self.standardise_scores(self.weights(self.standardise_inputs(cells)))
        return torch.cat(
            [group.softmax(dim=1) for group in scores.split(self.groups, dim=1)], dim=1
        )
