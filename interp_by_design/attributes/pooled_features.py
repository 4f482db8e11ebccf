"""Pooled features of the hidden layers, and samples of their rows."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.statistics import Standardisation
from interp_by_design.terms import UserError, check_whole

Features = Float[Tensor, "n features"]

MIN_ROWS = 2  # train samples that a dictionary is fitted to


def pooled_features(layer: Tensor, side: int) -> Tensor:
    """Average a map over a grid of cells and flatten it; return a vector unchanged.

    Equal windows (stride floor(size / side), overlapping where the size is no multiple) are several
    times faster than adaptive pooling.

    Args:
        layer: A hidden layer, maps [n, c, h, w] or vectors [n, d].
        side: The grid has at most `side` x `side` cells, which cover the map.

    Returns:
        The features, [n, d].

    >>> pooled_features(torch.arange(4.0).view(1, 1, 2, 2), 1).tolist()
    [[1.5]]
    """
    if layer.ndim == 2:
        return layer
    window, strides = _window(layer.shape[2:], side)
    return F.avg_pool2d(layer, window, strides).flatten(1)


def windows(size: Sequence[int], side: int) -> list[tuple[slice, slice]]:
    """Return the part of a map that each cell of `pooled_features` is the mean of.

    Args:
        size: Height and width of the map.
        side: The grid has at most `side` x `side` cells.

    Returns:
        The rows and the columns of each cell, in the order of the features of one channel.

    >>> windows((2, 3), 1)
    [(slice(0, 2, None), slice(0, 3, None))]
    """
    window, strides = _window(size, side)
    starts = [
        range(0, whole - part + 1, step)
        for whole, part, step in zip(size, window, strides, strict=True)
    ]
    return [
        (slice(top, top + window[0]), slice(left, left + window[1]))
        for top in starts[0]
        for left in starts[1]
    ]


def all_features(hidden: Sequence[Tensor], pooled: int) -> Features:
    """Join the pooled features of all hidden layers, in single precision.

    Args:
        hidden: The hidden layers of n samples.
        pooled: The side of the grid that maps are averaged to.

    Returns:
        The features, [n, d].

    >>> all_features([torch.zeros(5, 2, 8, 8), torch.zeros(5, 3)], pooled=4).shape
    torch.Size([5, 35])
    """
    return torch.cat([pooled_features(layer.float(), pooled) for layer in hidden], dim=1)


def hypercolumns(hidden: Sequence[Tensor], pooled: int) -> Float[Tensor, "n positions channels"]:
    """Join the rectified channels of all layers at each position of a grid, in single precision.

    Args:
        hidden: The hidden layers of n samples.
        pooled: The side of the grid that maps are averaged to. Smaller maps, and vectors, are
            repeated where the grid is finer.

    Returns:
        The channels of all layers, one after the other, at each position, [n, positions, channels].

    Source: Hariharan et al. (2015), arXiv 1411.5752, section 3.
    """
    grids = [_grid(layer.float(), pooled) for layer in hidden]
    size = grid_size(hidden, pooled)
    joined = torch.cat(
        [grid if grid.shape[2:] == size else F.interpolate(grid, size) for grid in grids], dim=1
    )
    return joined.clamp(min=0).flatten(2).transpose(1, 2)


def grid_size(hidden: Sequence[Tensor], pooled: int) -> tuple[int, int]:
    """Return the size of the grid of `hypercolumns`.

    Args:
        hidden: The hidden layers.
        pooled: The largest side of the grid.

    Returns:
        Height and width, in positions.
    """
    sizes = [layer.shape[2:] or (1, 1) for layer in hidden]
    return min(pooled, max(size[0] for size in sizes)), min(pooled, max(size[1] for size in sizes))


def feature_count(shapes: Sequence[torch.Size], pooled: int) -> int:
    """Return the number of features that `all_features` gives.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        pooled: The side of the grid that maps are averaged to.

    Returns:
        The number of features d.

    Raises:
        UserError: `pooled` is not a whole number of at least 1.

    >>> feature_count([torch.Size((2, 8, 8)), torch.Size((3,))], pooled=4)
    35
    """
    return int(all_features(_blank(shapes, pooled), pooled).shape[1])


def channel_count(shapes: Sequence[torch.Size], pooled: int) -> int:
    """Return the number of channels that `hypercolumns` gives.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        pooled: The side of the grid that maps are averaged to.

    Returns:
        The number of channels of all layers together.

    Raises:
        UserError: `pooled` is not a whole number of at least 1.
    """
    return int(hypercolumns(_blank(shapes, pooled), pooled).shape[2])


def check_rows(rows: object) -> int:
    """Return `rows` if it can be a number of train samples that a dictionary is fitted to.

    Args:
        rows: The value to check.

    Returns:
        The value itself.

    Raises:
        UserError: It is not a whole number of at least 2.
    """
    return check_whole("rows", rows, minimum=MIN_ROWS)


def sample_rows(batches: Iterable[Tensor], count: int, seed: int) -> Features:
    """Draw rows of all batches, each as likely as any other, in the memory of the drawn ones.

    Args:
        batches: The rows, [n, d] in each batch.
        count: How many rows to draw at most.
        seed: The seed of the draw.

    Returns:
        The drawn rows, on the CPU, [min(count, all rows), d].

    Raises:
        UserError: There are fewer than two rows, all rows are the same, or one holds NaN or an
            infinity.

    Source: reservoir sampling, Vitter (1985), algorithm R.
    """
    draws, seen = random.Random(seed), 0
    kept: list[Tensor] = []
    for batch in batches:
        rows = batch.detach().cpu()
        _require_finite(rows, seen)
        for row in rows:
            slot = seen if seen < count else draws.randrange(seen + 1)
            if slot < count:
                kept[slot : slot + 1] = [row.clone()]  # a view would keep its whole batch
            seen += 1
    if seen < MIN_ROWS:
        raise UserError(
            "A dictionary is fitted to the hidden layers of at least two train samples, and there "
            f"are {seen}."
        )
    drawn = torch.stack(kept)
    if bool((drawn == drawn[0]).all()):
        raise UserError(
            f"The features that a dictionary reads are the same in all of {len(drawn)} train "
            "samples: choose other hidden layers."
        )
    return drawn


@final
class FeatureStandardiser(nn.Module):
    """z = (features - mean) / deviation, fitted once; 0 in a feature that did not vary in the fit.

    Args:
        n_features: The number of features d.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.zeros(n_features))

    def fit(self, rows: Features) -> None:
        """Take mean and scale, which is 1 / deviation, from rows.

        Args:
            rows: The features of n train samples, [n, d].
        """
        mean, scale = Standardisation.fit(rows)
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def forward(self, features: Features) -> Features:
        return Standardisation(self.mean, self.scale).apply(features)


def _window(size: Sequence[int], side: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return height and width of a cell, and the steps from one cell to the next."""
    height, width = (min(side, length) for length in size)
    strides = size[0] // height, size[1] // width
    return (size[0] - (height - 1) * strides[0], size[1] - (width - 1) * strides[1]), strides


def _grid(layer: Tensor, pooled: int) -> Tensor:
    """Return a layer as maps of at most `pooled` x `pooled` cells."""
    sides = [min(pooled, size) for size in layer.shape[2:]] or [1, 1]
    return pooled_features(layer, pooled).reshape(-1, layer.shape[1], *sides)


def _blank(shapes: Sequence[torch.Size], pooled: int) -> list[Tensor]:
    check_whole("pooled", pooled, minimum=1)
    return [torch.zeros(1, *shape) for shape in shapes]


def _require_finite(rows: Tensor, n_before: int) -> None:
    finite = torch.isfinite(rows).flatten(1).all(dim=1)
    if not bool(finite.all()):
        sample = n_before + int((~finite).nonzero()[0])
        raise UserError(
            f"The hidden layers of train sample {sample} hold NaN or an infinity: no dictionary "
            "fits that. Look for a predictor that diverged, or for half precision that overflowed."
        )
