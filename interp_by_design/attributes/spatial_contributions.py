"""Contributions of each position of the hidden layers to attributes.

They are exact for attributes that are linear in the hidden layers up to the last step: the
contributions add up to the input of that step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.attributes.pooled_features import windows


class SpatialContributions(NamedTuple):
    """The summands of attributes of n samples, before these are rectified and before they compete.

    Args:
        maps: The signed contribution of each position of each hidden layer that is a map, [n, h, w]
            at the layer's own size.
        unplaced: The contribution of each hidden layer that is a vector and so has no positions,
            [n, layers].
        constant: What does not depend on the sample, [n].
    """

    maps: tuple[Float[Tensor, "n h w"], ...]
    unplaced: Float[Tensor, "n layers"]
    constant: Float[Tensor, "n"]

    @property
    def total(self) -> Float[Tensor, "n"]:
        """The sum of all contributions: the attributes before they are rectified."""
        return (
            self.unplaced.sum(dim=1) + self.constant + sum(one.sum(dim=(1, 2)) for one in self.maps)
        )


def inverse_deviation(norm: nn.BatchNorm1d) -> Float[Tensor, "features"]:
    """Return 1 / deviation as a batch normalisation applies it when not training.

    Args:
        norm: The batch normalisation.

    Returns:
        One factor a feature, [d].
    """
    return (cast("Tensor", norm.running_var) + norm.eps).rsqrt()


def linear_contributions(
    hidden: Sequence[Tensor],
    pooled: int,
    weights: Float[Tensor, "n features"],
    mean: Float[Tensor, "features"],
    constant: Float[Tensor, "n"],
) -> SpatialContributions:
    """Split `weights · (features - mean) + constant` over the positions of the hidden layers.

    A feature of a map is the mean of a window, so that a position adds `w (x - mean) / |window|`
    for each window that it is in. The difference to the mean sample counts: with plain x, bright
    places would speak for every attribute, and deletion finds less.

    Args:
        hidden: The hidden layers of n samples.
        pooled: The side of the grid that maps are averaged to; features are `all_features`.
        weights: The weight of each feature, [n, d].
        mean: The mean of each feature, [d].
        constant: A summand that belongs to no position, [n].

    Returns:
        The contributions, which add up to that sum.
    """
    maps: list[Tensor] = []
    unplaced: list[Tensor] = []
    start = 0
    for layer in hidden:
        count = layer.shape[1] * (len(windows(layer.shape[2:], pooled)) if layer.ndim > 2 else 1)
        w, m = weights[:, start : start + count], mean[start : start + count]
        if layer.ndim > 2:
            maps.append(_placed(layer, pooled, w, m))
        else:
            unplaced.append((w * (layer - m)).sum(dim=1))
        start += count
    return SpatialContributions(
        tuple(maps),
        torch.stack(unplaced, dim=1) if unplaced else constant.new_zeros(len(constant), 0),
        constant,
    )


def _placed(layer: Tensor, pooled: int, weights: Tensor, mean: Tensor) -> Tensor:
    cells = windows(layer.shape[2:], pooled)
    w, m = weights.view(len(weights), -1, len(cells)), mean.view(-1, len(cells))
    placed = layer.new_zeros(len(layer), *layer.shape[2:])
    for cell, (rows, columns) in enumerate(cells):
        part = layer[:, :, rows, columns] - m[:, cell, None, None]
        contribution = torch.einsum("nc,nchw->nhw", w[:, :, cell], part)
        placed[:, rows, columns] += contribution / part.shape[2:].numel()
    return placed
