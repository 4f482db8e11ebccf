"""A rival: CRAFT's dictionary, parts that add up, from a non-negative factorisation of what each position of the maps holds."""

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
    checked_active,
    checked_count,
    k_largest,
    require_fitted,
)
from interp_by_design.attributes.pooled_features import (
    channel_count,
    checked_rows,
    drawn_rows,
    grid_size,
    hypercolumns,
)
from interp_by_design.attributes.spatial_contributions import SpatialContributions
from interp_by_design.terms import Attributes

STEPS = 100
MINI_BATCH = 1024  # positions

Columns = Float[Tensor, "*rows channels"]
Parts = Float[Tensor, "parts channels"]


@final
class NMFDictionary(AttributeDictionary):
    """Φ = TopK_k(mean over positions of U), where A ≈ U W, all >= 0; A the hidden layers at each position.

    A row of A is one position of a grid of `pooled` x `pooled`: the rectified channels of all layers there, each divided by its
    root mean square. W are J parts of unit length, so that those compete which make up most of an image; U of a new image is the
    non-negative least-squares fit to A with W as it is, by a fixed number of steps, which can be differentiated and exported. At
    most k attributes are active.

    Fitted to one position each of at most `rows` train samples, both drawn by the seed.

    Source: CRAFT, Fel et al. (2023), arXiv 2211.10154. Departs from it in reading several layers, in cells for crops, in the
    scaling, and in k.
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
        """Raises `UserError` unless 1 <= k <= n_attributes, pooled >= 1 and rows >= 2."""
        super().__init__()
        self.n_attributes = checked_count(n_attributes)
        self.k, self.pooled, self.rows = checked_active(k, n_attributes), pooled, checked_rows(rows)
        channels = channel_count(shapes, pooled)
        self.register_buffer("scale", torch.zeros(channels))  # 1 / root mean square
        self.register_buffer("parts", torch.zeros(n_attributes, channels))  # W
        self.register_buffer("fitted", torch.tensor(False))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        require_fitted(self)
        columns = hypercolumns(hidden, self.pooled) * self.scale
        return k_largest(coefficients(columns, self.parts).mean(dim=1), self.k)

    def evidence(self, hidden: Sequence[Tensor], weights: Attributes) -> SpatialContributions:
        """Exact, as attributes are means over the positions of the grid; layers share those."""
        require_fitted(self)
        columns = hypercolumns(hidden, self.pooled) * self.scale
        placed = (coefficients(columns, self.parts) @ weights[:, :, None])[:, :, 0] / columns.shape[
            1
        ]
        grid = placed.view(len(placed), *grid_size(hidden, self.pooled))
        return SpatialContributions(
            (grid,), placed.new_zeros(len(placed), 0), placed.new_zeros(len(placed))
        )

    def fit(self, hidden: HiddenBatches, seed: int) -> None:
        draws = torch.Generator().manual_seed(seed)
        columns = (_one_each(hypercolumns(layers, self.pooled), draws) for layers in hidden())
        rows = drawn_rows(columns, self.rows, seed)
        mean_square = rows.square().mean(dim=0)
        scale = torch.where(mean_square > 0, mean_square.rsqrt(), 0.0)
        self.scale.copy_(scale)
        self.parts.copy_(_parts(rows * scale, self.n_attributes, seed))
        self.fitted.fill_(True)


def coefficients(
    columns: Columns, parts: Parts, steps: int = STEPS
) -> Float[Tensor, "*rows parts"]:
    """U >= 0 that minimises |A - U W|², A the columns and W the parts, each row of A alone.

    After 100 steps the error of real maps is within 0.01 % of the least, with 90 parts too (an active-set solver gives that).

    Source: accelerated projected gradient, Beck and Teboulle (2009), FISTA.
    """
    wanted, gram = columns @ parts.T, parts @ parts.T
    step = 1 / gram.abs().sum(dim=1).max().clamp(
        min=1e-12
    )  # the largest row sum is no less than the largest eigenvalue
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
    """One position of each image: a few positions of many images tell more than all positions of a few."""
    position = torch.randint(grids.shape[1], (len(grids),), generator=draws)
    return grids[torch.arange(len(grids)), position]


def _parts(columns: Float[Tensor, "n channels"], count: int, seed: int) -> Parts:
    """W, rows of unit length; 0 for a part that nothing needs."""
    from sklearn.decomposition import (
        MiniBatchNMF,
    )  # a second to import, which only a fit has to wait
    from sklearn.exceptions import ConvergenceWarning

    init = "nndsvda" if count <= min(columns.shape) else "random"
    model = MiniBatchNMF(
        count, init=init, batch_size=min(MINI_BATCH, len(columns)), random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # the number of passes is a budget, not a failure
        parts = torch.from_numpy(model.fit(columns.numpy()).components_)
    return F.normalize(parts, dim=1)
