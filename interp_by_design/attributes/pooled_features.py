"""Cells: the numbers that a dictionary reads of each sample, the same for all rivals, and a sample of them to be fitted to.

Knows nothing of attributes.
"""

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

Cells = Float[Tensor, "n cells"]

FEWEST_ROWS = 2


def pooled_features(layer: Tensor, side: int) -> Tensor:
    """A vector as it is; a map averaged to at most `side` x `side` equal cells that cover it, flattened: [n, d].

    Equal windows (stride floor(size / side), overlapping where they must) are several times faster than adaptive pooling.
    """
    if layer.ndim == 2:
        return layer
    window, strides = _window(layer.shape[2:], side)
    return F.avg_pool2d(layer, window, strides).flatten(1)


def windows(size: Sequence[int], side: int) -> list[tuple[slice, slice]]:
    """Rows and columns of a map of `size` (h, w) that each cell of `pooled_features` is the mean of, in the order of the cells."""
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


def all_features(hidden: Sequence[Tensor], pooled: int) -> Cells:
    """All hidden layers of each sample as one vector, maps averaged to a grid of `pooled` x `pooled`, in single precision."""
    return torch.cat([pooled_features(layer.float(), pooled) for layer in hidden], dim=1)


def hypercolumns(hidden: Sequence[Tensor], pooled: int) -> Float[Tensor, "n positions channels"]:
    """At each position of the grid the rectified channels of all layers, one after the other, in single precision.

    Maps are averaged to at most `pooled` x `pooled` positions; smaller ones, and vectors, are repeated where the grid is finer.

    Source: Hariharan et al. (2015), arXiv 1411.5752, section 3.
    """
    grids = [_grid(layer.float(), pooled) for layer in hidden]
    size = grid_size(hidden, pooled)
    joined = torch.cat(
        [grid if grid.shape[2:] == size else F.interpolate(grid, size) for grid in grids], dim=1
    )
    return joined.clamp(min=0).flatten(2).transpose(1, 2)


def grid_size(hidden: Sequence[Tensor], pooled: int) -> tuple[int, int]:
    """Height and width of the grid of `hypercolumns`."""
    sizes = [layer.shape[2:] or (1, 1) for layer in hidden]
    return min(pooled, max(size[0] for size in sizes)), min(pooled, max(size[1] for size in sizes))


def cell_count(shapes: Sequence[torch.Size], pooled: int) -> int:
    """How many cells `all_features` makes of layers of these shapes; `UserError` for a grid without cells."""
    return int(all_features(_blank(shapes, pooled), pooled).shape[1])


def channel_count(shapes: Sequence[torch.Size], pooled: int) -> int:
    """How many channels `hypercolumns` makes of layers of these shapes; `UserError` for a grid without cells."""
    return int(hypercolumns(_blank(shapes, pooled), pooled).shape[2])


def checked_rows(rows: object) -> int:
    """`rows` itself where it can be a number of train samples that a dictionary is fitted to."""
    return check_whole("rows", rows, minimum=FEWEST_ROWS)


def drawn_rows(batches: Iterable[Tensor], most: int, seed: int) -> Cells:
    """At most `most` rows of all batches, each as likely as any other, on the CPU; the memory of more is never taken.

    Raises `UserError` for fewer than two rows, rows that are all the same, and NaN or an infinity.

    Source: reservoir sampling, Vitter (1985), algorithm R.
    """
    draws, seen = random.Random(seed), 0
    kept: list[Tensor] = []
    for batch in batches:
        rows = batch.detach().cpu()
        _require_finite(rows, seen)
        for row in rows:
            slot = seen if seen < most else draws.randrange(seen + 1)
            if slot < most:
                kept[slot : slot + 1] = [
                    row.clone()
                ]  # a row alone: a view would keep its whole batch
            seen += 1
    if seen < FEWEST_ROWS:
        raise UserError(
            f"A dictionary is fitted to the hidden layers of two train samples at least, and there are {seen}."
        )
    drawn = torch.stack(kept)
    if bool((drawn == drawn[0]).all()):
        raise UserError(
            f"What a dictionary reads is the same in all of {len(drawn)} train samples: choose other hidden layers."
        )
    return drawn


@final
class Standardised(nn.Module):
    """z = (cells - mean) / deviation, [n, d]; 0 in a cell that was the same in all rows that it was fitted to."""

    mean: Tensor
    scale: Tensor

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(cells))
        self.register_buffer("scale", torch.zeros(cells))

    def fit(self, rows: Cells) -> None:
        """Takes mean and scale, which is 1 / deviation, from these rows."""
        mean, scale = Standardisation.fit(rows)
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def forward(self, cells: Cells) -> Cells:
        return Standardisation(self.mean, self.scale).apply(cells)


def _window(size: Sequence[int], side: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Height and width of a cell, and the steps from one to the next."""
    height, width = (min(side, length) for length in size)
    strides = size[0] // height, size[1] // width
    return (size[0] - (height - 1) * strides[0], size[1] - (width - 1) * strides[1]), strides


def _grid(layer: Tensor, pooled: int) -> Tensor:
    """A layer as maps of at most `pooled` x `pooled` cells."""
    sides = [min(pooled, size) for size in layer.shape[2:]] or [1, 1]
    return pooled_features(layer, pooled).reshape(-1, layer.shape[1], *sides)


def _blank(shapes: Sequence[torch.Size], pooled: int) -> list[Tensor]:
    check_whole("pooled", pooled, minimum=1)
    return [torch.zeros(1, *shape) for shape in shapes]


def _require_finite(rows: Tensor, before: int) -> None:
    finite = torch.isfinite(rows).flatten(1).all(dim=1)
    if not bool(finite.all()):
        raise UserError(
            f"The hidden layers of train sample {before + int((~finite).nonzero()[0])} hold NaN or an infinity: no dictionary "
            "fits that. Look for a predictor that diverged, or for half precision that overflowed."
        )
