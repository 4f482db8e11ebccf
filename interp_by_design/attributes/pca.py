"""A rival: the principal components of the hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from interp_by_design.attributes.dictionary import (
    AttributeDictionary,
    HiddenBatches,
    checked_active,
    checked_pairs,
    k_largest,
    require_fitted,
)
from interp_by_design.attributes.linear_probe import split
from interp_by_design.attributes.pooled_features import (
    Standardised,
    all_features,
    cell_count,
    checked_rows,
    drawn_rows,
)
from interp_by_design.attributes.spatial_contributions import (
    SpatialContributions,
    linear_evidence,
    signed_weights,
)
from interp_by_design.statistics import principal_components
from interp_by_design.terms import Attributes, UserError


@final
class PCADictionary(AttributeDictionary):
    """Φ = TopK_k(relu([V z, -V z] / σ)), V the J/2 principal components of z and σ their deviations on the train split.

    z are the standardised hidden layers, maps pooled to a grid of `pooled` x `pooled` cells. Attribute j is the positive part of
    component j, attribute J/2 + j its negative part, so that at most k, and at most J/2, are active. Dividing by σ lets the late
    components compete with the first; without `whiten` it is left out, and the k are those that make up most of z.

    Fitted to at most `rows` train samples, drawn by the seed: from the eigenvectors of the covariance, in double precision, up to
    2,048 cells, beyond that by a randomised singular value decomposition (Halko et al., 2011, arXiv 0909.4061).
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
        """Raises `UserError` unless n_attributes is even and half of it no more than the cells, 1 <= k <= n_attributes."""
        super().__init__()
        directions, width = checked_pairs(n_attributes), cell_count(shapes, pooled)
        if directions > width:
            raise UserError(
                f"{n_attributes} attributes take {directions} principal components, and these hidden layers have {width} cells: "
                f"no more than {2 * width} attributes. Lower n_attributes, or read more layers."
            )
        self.n_attributes, self.k = n_attributes, checked_active(k, n_attributes)
        self.pooled, self.rows, self.whiten = pooled, checked_rows(rows), whiten
        self.standardise = Standardised(width)
        self.register_buffer("components", torch.zeros(directions, width))  # V / σ, or V
        self.register_buffer("fitted", torch.tensor(False))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        require_fitted(self)
        z = self.standardise(all_features(hidden, self.pooled))
        return k_largest(split(z @ self.components.T), self.k)

    def evidence(self, hidden: Sequence[Tensor], weights: Attributes) -> SpatialContributions:
        require_fitted(self)
        directions = signed_weights(weights) @ self.components * self.standardise.scale
        return linear_evidence(
            hidden, self.pooled, directions, self.standardise.mean, weights.new_zeros(len(weights))
        )

    def fit(self, hidden: HiddenBatches, seed: int) -> None:
        cells = (all_features(layers, self.pooled) for layers in hidden())
        rows = drawn_rows(cells, self.rows, seed).to(self.components.device)
        self.standardise.fit(rows)
        components, deviation = principal_components(
            self.standardise(rows).cpu(), len(self.components), seed
        )
        deviation = deviation[:, None]
        absent = deviation <= 1e-5 * deviation.max()
        self.components.copy_(
            torch.where(absent, 0.0, components / deviation if self.whiten else components)
        )
        self.fitted.fill_(True)
