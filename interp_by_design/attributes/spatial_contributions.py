"""Where the evidence for attributes lies: what each position of the hidden layers adds to them. Knows nothing of images.

Exact for attributes that are linear in the hidden layers up to the last step: the parts add up to what that step is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.attributes.pooled_features import windows

Weights = Float[Tensor, "n attributes"]


class SpatialContributions(NamedTuple):
    """What attributes are made of, before what rectifies them and before they compete, for n samples.

    maps: what each position adds, signed, for each hidden layer that is a map, [n, h, w] at the layer's own size.
    unplaced: what each hidden layer adds that is a vector, and so has no place, [n, layers].
    constant: what the dictionary adds of itself, [n].
    """

    maps: tuple[Float[Tensor, "n h w"], ...]
    unplaced: Float[Tensor, "n layers"]
    constant: Float[Tensor, "n"]

    @property
    def total(self) -> Float[Tensor, "n"]:
        """The sum of all of it: what the attributes are before they are rectified."""
        return (
            self.unplaced.sum(dim=1) + self.constant + sum(one.sum(dim=(1, 2)) for one in self.maps)
        )


def signed_weights(weights: Weights) -> Float[Tensor, "n directions"]:
    """Of attributes that are the positive and the negative parts of directions, in this order: how much of each direction."""
    positive, negative = weights.chunk(2, dim=1)
    return positive - negative


def scale_of(norm: nn.BatchNorm1d) -> Tensor:
    """1 / deviation, as `norm` has it when not training."""
    return (cast("Tensor", norm.running_var) + norm.eps).rsqrt()


def linear_evidence(
    hidden: Sequence[Tensor],
    pooled: int,
    weights: Float[Tensor, "n cells"],
    mean: Float[Tensor, "cells"],
    constant: Float[Tensor, "n"],
) -> SpatialContributions:
    """The parts of `weights · (cells - mean) + constant`, cells those of `all_features(hidden, pooled)`.

    A cell is the mean of its window, so that a position adds `w (x - mean) / |window|` of each window that it is in. What counts
    is the difference to the mean sample: with plain x, bright places are evidence for everything (and deletion finds less).
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
        placed[:, rows, columns] += (
            torch.einsum("nc,nchw->nhw", w[:, :, cell], part) / part.shape[2:].numel()
        )
    return placed
