"""Splits of a data set, and how images are held out."""

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
    """Images of one shape with int64 labels [n], in memory or in files that are read on demand."""

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
        """Return images as they are stored.

        Args:
            indices: [n], positions in the split.

        Returns:
            [n, c, h, w], uint8 in 0..255 or floating point in [0, 1].
        """

    @abstractmethod
    def take(self, rows: Indices) -> Split:
        """Return the split of some of the images.

        Args:
            rows: [n], positions in this split.

        Returns:
            A split of these images, in this order.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a hash (hex) that is equal for splits of the same data."""

    @final
    def batch(self, indices: Indices) -> Batch:
        """Return images as float32 in [0, 1], with labels and indices.

        Args:
            indices: [n], positions in the split.

        Returns:
            The batch.
        """
        return Batch(unit(self.pixels(indices)), self.labels.index_select(0, indices), indices)


@final
@dataclass(frozen=True, eq=False)
class TensorSplit(Split):
    """Images in memory; `check` refuses what cannot be used.

    Args:
        images: [n, c, h, w], uint8 in 0..255 or floating point in [0, 1].
        labels: [n], int64.
    """

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
        """Return the SHA-256 (hex) of pixels and labels."""
        digest = hashlib.sha256(repr((self.images.shape, self.images.dtype)).encode())
        digest.update(self.images.contiguous().numpy().data)
        digest.update(self.labels.contiguous().numpy().data)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class DataSplits:
    """A data set as read.

    Args:
        train: the images to train on.
        test: the images to test on.
        class_names: the name of each label.
        normalisation: what the model applies to images in [0, 1] first.
        val: the images to validate on; None cuts them from `train`.
    """

    train: Split
    test: Split
    class_names: tuple[str, ...]
    normalisation: Normalisation = field(default_factory=Normalisation)
    val: Split | None = None


def unit(pixels: Tensor, empty: Callable[[torch.Size], Tensor] = torch.empty) -> Images:
    """Convert stored pixels to float32 in [0, 1].

    Args:
        pixels: uint8 in 0..255, or floating point in [0, 1].
        empty: allocates the memory for converted bytes, given a shape.

    Returns:
        The images, of the same shape.

    >>> unit(torch.tensor([[0, 255]], dtype=torch.uint8)).tolist()
    [[0.0, 1.0]]
    """
    return (
        empty(pixels.shape).copy_(pixels).div_(255)
        if pixels.dtype == torch.uint8
        else pixels.float()
    )


def count_held_out(share: int | float, n: int, option: str) -> int:
    """Return how many images to hold out.

    Args:
        share: a count, or a fraction between 0 and 1.
        n: the number of images.
        option: what messages call `share`.

    Returns:
        The count, 1 .. n-1.

    Raises:
        UserError: if nothing would be held out, or nothing left.

    >>> count_held_out(0.1, 50, "validation"), count_held_out(7, 50, "validation")
    (5, 7)
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
    """Split images into those to keep and those to hold out, stratified by class.

    A pure function of its arguments: no training seed changes the cut.

    Args:
        labels: [n], at least 0.
        count: how many images to hold out.

    Returns:
        Rows to keep [n - count] and rows to hold out [count], both ascending; each class has its
        share in both, to the nearest image.
    """
    order = torch.randperm(len(labels), generator=generator(Purpose.CUT))
    shuffled, depth = labels[order], torch.empty(len(labels))
    for label in range(int(labels.max()) + 1):
        members = (shuffled == label).nonzero().squeeze(1)
        depth[members] = (torch.arange(len(members)) + 0.5) / len(members)
    ranked = order[depth.argsort(stable=True)]
    return ranked[count:].sort().values, ranked[:count].sort().values
