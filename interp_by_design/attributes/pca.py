"""Principal-component baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from interp_by_design.attributes.dictionary import (
    AttributeDictionary,
    HiddenBatches,
    check_active,
    k_largest,
    require_fitted,
)
from interp_by_design.attributes.directions import direction_count, signed_parts, signed_weights
from interp_by_design.attributes.pooled_features import (
    FeatureStandardiser,
    all_features,
    check_rows,
    feature_count,
    sample_rows,
)
from interp_by_design.attributes.spatial_contributions import (
    SpatialContributions,
    linear_contributions,
)
from interp_by_design.statistics import principal_components
from interp_by_design.terms import Attributes, UserError

MIN_DEVIATION = 1e-5  # of the largest; components below it hold rounding errors and become 0


@final
class PCADictionary(AttributeDictionary):
    """Φ = TopK_k(relu([V z, -V z] / σ)), V the J/2 principal components of z, σ their deviations.

    z are the standardised hidden layers. Attribute j is the positive part of component j, attribute
    J/2 + j its negative part, so that at most k, and at most J/2, are active.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        n_attributes: The number of attributes J, even, at most twice the number of features.
        k: The largest number of active attributes, 1..J.
        pooled: The side of the grid that maps are averaged to.
        rows: The largest number of train samples for the fit, drawn by the seed.
        whiten: Whether to divide by σ, so that late components compete with the first. Without it,
            the k are those that make up most of z.

    Raises:
        UserError: A number is out of its range, or J is odd.

    Source: `statistics.principal_components`.
    """

    needs_fit = True
    components: Tensor

    def __init__(
        self,
        shapes: Sequence[torch.Size],
        n_attributes: int,
        k: int,
        pooled: int = 3,
        rows: int = 20_000,
        whiten: bool = True,
    ) -> None:
        super().__init__()
        directions, width = direction_count(n_attributes), feature_count(shapes, pooled)
        if directions > width:
            raise UserError(
                f"{n_attributes} attributes take {directions} principal components, and these "
                f"hidden layers have {width} features: no more than {2 * width} attributes. "
                "Lower n_attributes, or read more layers."
            )
        self.n_attributes, self.k = n_attributes, check_active(k, n_attributes)
        self.pooled, self.rows, self.whiten = pooled, check_rows(rows), whiten
        self.standardise = FeatureStandardiser(width)
        self.register_buffer("components", torch.zeros(directions, width))  # V / σ, or V
        self.register_buffer("fitted", torch.tensor(False))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        require_fitted(self)
        z = self.standardise(all_features(hidden, self.pooled))
        return k_largest(signed_parts(z @ self.components.T, self.n_attributes), self.k)

    def spatial_contributions(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions:
        require_fitted(self)
        directions = signed_weights(weights) @ self.components * self.standardise.scale
        constant = weights.new_zeros(len(weights))
        return linear_contributions(
            hidden, self.pooled, directions, self.standardise.mean, constant
        )

    def fit(self, hidden: HiddenBatches, seed: int) -> None:
        features = (all_features(layers, self.pooled) for layers in hidden())
        rows = sample_rows(features, self.rows, seed).to(self.components.device)
        self.standardise.fit(rows)
        z = self.standardise(rows).cpu()
        components, deviation = principal_components(z, len(self.components), seed)
        deviation = deviation[:, None]
        absent = deviation <= MIN_DEVIATION * deviation.max()
        scaled = components / deviation if self.whiten else components
        self.components.copy_(torch.where(absent, 0.0, scaled))
        self.fitted.fill_(True)
