"""Splits: what a data set hands over when read, and how images are held out. Knows nothing of loaders."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from interp_by_design.data.order import Purpose, generator
from interp_by_design.terms import Batch, Images, Indices, Labels, Normalisation, UserError


class Split(ABC):
    """Images of one shape with their int64 labels [n], wherever they lie: in memory, or in files that are read when asked for."""

    labels: Tensor

    @final
    def __len__(self) -> int:
        return self.labels.shape[0]

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""

    @abstractmethod
    def pixels(self, indices: Indices) -> Tensor:
        """The images at `indices` as they are kept, uint8 in 0..255 or floating point in [0, 1]."""

    @abstractmethod
    def take(self, rows: Indices) -> Split:
        """A split of its own, of the images in `rows`."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash (hex) that two splits share when they hold the same data."""

    @final
    def batch(self, indices: Indices) -> Batch:
        """The images at `indices` as float32 in [0, 1], with labels and the indices themselves."""
        return Batch(unit(self.pixels(indices)), self.labels.index_select(0, indices), indices)


@final
@dataclass(frozen=True, eq=False)
class TensorSplit(Split):
    """Images [n, c, h, w] in memory. Holds what it is given: `check` is where that is refused, in words."""

    images: Tensor
    labels: Tensor

    @property
    def image_shape(self) -> tuple[int, int, int]:
        _, channels, height, width = self.images.shape
        return channels, height, width

    def pixels(self, indices: Indices) -> Tensor:
        return self.images.index_select(0, indices)

    def take(self, rows: Indices) -> TensorSplit:
        return TensorSplit(self.pixels(rows), self.labels.index_select(0, rows))

    def fingerprint(self) -> str:
        """SHA-256 of pixels and labels."""
        digest = hashlib.sha256(repr((self.images.shape, self.images.dtype)).encode())
        digest.update(self.images.contiguous().numpy().data)
        digest.update(self.labels.contiguous().numpy().data)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Reading:
    """A data set as read, and the names of its labels. Without a `val`, validation is cut from `train` later."""

    train: Split
    test: Split
    class_names: tuple[str, ...]
    normalisation: Normalisation = field(default_factory=Normalisation)
    val: Split | None = None


def unit(pixels: Tensor, empty: Callable[[torch.Size], Tensor] = torch.empty) -> Images:
    """Pixels as a split keeps them, to float32 in [0, 1]; memory for bytes that became floats is what `empty` hands out."""
    return (
        empty(pixels.shape).copy_(pixels).div_(255)
        if pixels.dtype == torch.uint8
        else pixels.float()
    )


def count_held_out(share: int | float, n: int, option: str) -> int:
    """How many of `n` images the `option` holds out: `share` itself if a whole number, else that fraction of them.

    Raises UserError where nothing would be held out, or nothing left.
    """
    fraction = round(share * n) if 0 < share < 1 else 0
    count = share if isinstance(share, int) else fraction
    if not 0 < count < n:
        raise UserError(
            f"{option}={share} of {n} images leaves one side empty. "
            f"Give a whole number from 1 to {n - 1}, or a fraction between 0 and 1."
        )
    return count


def hold_out(labels: Labels, count: int) -> tuple[Indices, Indices]:
    """Rows to keep and `count` rows to hold out, both ascending, every class in its share (to the nearest image).

    A pure function of its arguments: the cut belongs to the data set, and no training seed moves it.
    """
    order = torch.randperm(len(labels), generator=generator(Purpose.CUT))
    shuffled, depth = labels[order], torch.empty(len(labels))
    for label in range(int(labels.max()) + 1):
        members = (shuffled == label).nonzero().squeeze(1)
        depth[members] = (torch.arange(len(members)) + 0.5) / len(members)
    ranked = order[depth.argsort(stable=True)]
    return ranked[count:].sort().values, ranked[:count].sort().values
