"""CRAFT baseline: a non-negative factorisation of the channels at each position."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from interp_by_design.attributes.dictionary import (
    AttributeDictionary,
    HiddenBatches,
    check_active,
    check_count,
    k_largest,
    require_fitted,
)
from interp_by_design.attributes.pooled_features import (
    channel_count,
    check_rows,
    grid_size,
    hypercolumns,
    sample_rows,
)
from interp_by_design.attributes.spatial_contributions import SpatialContributions
from interp_by_design.terms import Attributes

N_STEPS = 100
BATCH_ROWS = 1024  # positions

Columns = Float[Tensor, "*rows channels"]
Parts = Float[Tensor, "parts channels"]


@final
class NMFDictionary(AttributeDictionary):
    """Φ = TopK_k(mean over positions of U), where A ≈ U W, all non-negative.

    A row of A is one position of a grid: the rectified channels of all layers there, each divided
    by its root mean square. W are J parts of unit length, so that parts compete by how much of an
    image they make up. U of a new image is the non-negative least-squares fit to A for the fitted
    W, by a fixed number of steps, which can be differentiated and exported. At most k attributes
    are active.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        n_attributes: The number of attributes J.
        k: The largest number of active attributes, 1..J.
        pooled: The side of the grid that maps are averaged to.
        rows: The largest number of train samples for the fit; samples, and one position of each,
            are drawn by the seed.

    Raises:
        UserError: A number is out of its range.

    Source: CRAFT, Fel et al. (2023), arXiv 2211.10154. Departs from it in reading several layers,
        in
    grid cells for crops, in the scaling, and in k.
    """

    needs_fit = True
    scale: Tensor
    parts: Tensor

    def __init__(
        self,
        shapes: Sequence[torch.Size],
        n_attributes: int,
        k: int,
        pooled: int = 3,
        rows: int = 20_000,
    ) -> None:
        super().__init__()
        self.n_attributes = check_count(n_attributes)
        self.k = check_active(k, n_attributes)
        self.pooled, self.rows = pooled, check_rows(rows)
        channels = channel_count(shapes, pooled)
        self.register_buffer("scale", torch.zeros(channels))  # 1 / root mean square
        self.register_buffer("parts", torch.zeros(n_attributes, channels))  # W
        self.register_buffer("fitted", torch.tensor(False))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        require_fitted(self)
        columns = hypercolumns(hidden, self.pooled) * self.scale
        return k_largest(coefficients(columns, self.parts).mean(dim=1), self.k)

    def spatial_contributions(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions:
        """Return the contributions of the positions of the grid, which all layers share.

        They are exact: attributes are means over these positions.

        Args:
            hidden: The hidden layers of n samples.
            weights: The weight of each attribute in the sum, [n, J].

        Returns:
            The contributions, as one map.
        """
        require_fitted(self)
        columns = hypercolumns(hidden, self.pooled) * self.scale
        placed = (coefficients(columns, self.parts) @ weights[:, :, None])[:, :, 0]
        placed = placed / columns.shape[1]
        grid = placed.view(len(placed), *grid_size(hidden, self.pooled))
        return SpatialContributions(
            (grid,), placed.new_zeros(len(placed), 0), placed.new_zeros(len(placed))
        )

    def fit(self, hidden: HiddenBatches, seed: int) -> None:
        draws = torch.Generator().manual_seed(seed)
        columns = (_one_each(hypercolumns(layers, self.pooled), draws) for layers in hidden())
        rows = sample_rows(columns, self.rows, seed)
        mean_square = rows.square().mean(dim=0)
        scale = torch.where(mean_square > 0, mean_square.rsqrt(), 0.0)
        self.scale.copy_(scale)
        self.parts.copy_(_parts(rows * scale, self.n_attributes, seed))
        self.fitted.fill_(True)


def coefficients(
    columns: Columns, parts: Parts, steps: int = N_STEPS
) -> Float[Tensor, "*rows parts"]:
    """Find U >= 0 that minimises |A - U W|², row by row.

    After 100 steps the error on real maps is within 0.01 % of the minimum (by an active-set
    solver), with 90 parts too.

    Args:
        columns: A, [..., channels].
        parts: W, [parts, channels].
        steps: The number of gradient steps.

    Returns:
        U, [..., parts].

    Source: accelerated projected gradient, Beck and Teboulle (2009), FISTA.
    """
    wanted, gram = columns @ parts.T, parts @ parts.T
    # The largest row sum bounds the largest eigenvalue.
    step = 1 / gram.abs().sum(dim=1).max().clamp(min=1e-12)
    u = ahead = torch.zeros_like(wanted)
    inertia = 1.0
    for _ in range(steps):
        before, u = u, (ahead - step * (ahead @ gram - wanted)).relu()
        before_inertia, inertia = inertia, (1 + (1 + 4 * inertia**2) ** 0.5) / 2
        ahead = u + (before_inertia - 1) / inertia * (u - before)
    return u


def _one_each(
    grids: Float[Tensor, "n positions channels"], draws: torch.Generator
) -> Float[Tensor, "n channels"]:
    """Draw one position of each image: many images matter more than many positions."""
    position = torch.randint(grids.shape[1], (len(grids),), generator=draws)
    return grids[torch.arange(len(grids)), position]


def _parts(columns: Float[Tensor, "n channels"], count: int, seed: int) -> Parts:
    """Fit W, rows of unit length; 0 for a part that no column needs."""
    from sklearn.decomposition import MiniBatchNMF  # importing it takes a second
    from sklearn.exceptions import ConvergenceWarning

    init = "nndsvda" if count <= min(columns.shape) else "random"
    model = MiniBatchNMF(
        count, init=init, batch_size=min(BATCH_ROWS, len(columns)), random_state=seed
    )
    with warnings.catch_warnings():
        # The number of passes is a budget, and reaching it is no failure.
        warnings.simplefilter("ignore", ConvergenceWarning)
        parts = torch.from_numpy(model.fit(columns.numpy()).components_)
    return F.normalize(parts, dim=1)
