"""Splits in memory: what a data set hands over when read, and how images are held out. Knows nothing of files or loaders."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from interp_by_design.data.order import Purpose, generator
from interp_by_design.terms import Batch, Indices, Labels, Normalisation, UserError


@dataclass(frozen=True, eq=False)
class Split:
    """Images [n, c, h, w], uint8 in 0..255 or floating point in [0, 1], with their int64 labels [n].

    Holds what it is given: `check` is where that is refused, in words.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return self.labels.shape[0]

    def batch(self, indices: Indices) -> Batch:
        """The images at `indices` as float32 in [0, 1], with labels and the indices themselves."""
        images = self.images.index_select(0, indices)
        unit = images.float().div_(255) if images.dtype == torch.uint8 else images.float()
        return Batch(unit, self.labels.index_select(0, indices), indices)

    def take(self, rows: Indices) -> Split:
        """A split of its own, of the images in `rows`."""
        return Split(self.images.index_select(0, rows), self.labels.index_select(0, rows))


@dataclass(frozen=True, eq=False)
class Reading:
    """A data set as read: all that is not test in `train` (validation is cut from it later), and the names of the labels."""

    train: Split
    test: Split
    class_names: tuple[str, ...]
    normalisation: Normalisation = field(default_factory=Normalisation)


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
