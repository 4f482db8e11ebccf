"""Factorial dictionary: attributes in groups, within which they compete for one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary
from interp_by_design.attributes.pooled_features import all_features, feature_count
from interp_by_design.terms import Attributes, UserError

MIN_GROUP_SIZE = 2  # attributes; a single one would always be 1


@final
class GroupedDictionary(AttributeDictionary):
    """Φ = [softmax(s_1), …, softmax(s_G)], s = BN(W z), z the standardised hidden layers.

    The attributes of a group sum to 1, so that an image has about one of each group: with groups of
    3 and 2, five attributes distinguish six classes, and a linear head adds the evidence of the two
    groups. A class cannot have an attribute of its own.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        groups: The number of attributes of each group, 2 or more.
        pooled: The side of the grid that maps are averaged to.

    Raises:
        UserError: There is no group, a group is too small, or `pooled` is below 1.

    Source: Original to this project; a vector of one-of-k codes is a factorial code (Hinton and
        Zemel,
    1994).
    """

    def __init__(
        self, shapes: Sequence[torch.Size], groups: Sequence[int], pooled: int = 3
    ) -> None:
        super().__init__()
        if not groups or not all(
            isinstance(size, int) and size >= MIN_GROUP_SIZE for size in groups
        ):
            raise UserError(
                "groups are the numbers of attributes of each group, whole numbers of at least "
                f"{MIN_GROUP_SIZE}, not {list(groups)}."
            )
        self.groups, self.pooled, self.n_attributes = tuple(groups), pooled, sum(groups)
        width = feature_count(shapes, pooled)
        self.standardise_inputs = nn.BatchNorm1d(width, affine=False)
        self.weights = nn.Linear(width, self.n_attributes, bias=False)
        self.standardise_scores = nn.BatchNorm1d(self.n_attributes)

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        features = all_features(hidden, self.pooled).to(self.weights.weight.dtype)
        scores = self.standardise_scores(self.weights(self.standardise_inputs(features)))
        return torch.cat(
            [group.softmax(dim=1) for group in scores.split(self.groups, dim=1)], dim=1
        )
