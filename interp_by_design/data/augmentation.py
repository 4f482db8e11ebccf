"""Augmentations of a whole batch of training images at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, final, runtime_checkable

import torch
from jaxtyping import Bool
from torch import Tensor

from interp_by_design.terms import Images, UserError, check_whole


@runtime_checkable
class Augmentation(Protocol):
    """A function of images [n, c, h, w] in [0, 1] to images of the same shape and range.

    Every random draw comes from `generator`. An augmentation that only moves pixels may declare
    `moves_pixels = True`: it then receives bytes where a split keeps bytes.
    """

    def __call__(self, images: Images, generator: torch.Generator) -> Images: ...


@final
@dataclass(frozen=True)
class RandomShift:
    """Shift each image by its own whole numbers of pixels; the border is repeated outwards.

    Args:
        pixels: the largest shift, down and across; each is uniform in -pixels .. pixels.

    Raises:
        UserError: if `pixels` is negative.
    """

    pixels: int
    moves_pixels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_whole("pixels of RandomShift", self.pixels, minimum=0)

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        n, channels, height, width = images.shape
        shift = torch.randint(-self.pixels, self.pixels + 1, (2, n, 1), generator=generator)
        rows = (torch.arange(height) - shift[0]).clamp(0, height - 1)
        columns = (torch.arange(width) - shift[1]).clamp(0, width - 1)
        # One gather over flat pixels: four times as fast as indexing along each axis.
        source = rows[:, :, None] * width + columns[:, None, :]
        return (
            images.flatten(2)
            .gather(2, source.view(n, 1, -1).expand(-1, channels, -1))
            .view_as(images)
        )


@final
@dataclass(frozen=True)
class RandomFlip:
    """Mirror images left to right; for subjects without handedness, so not for digits.

    Args:
        share: the probability that an image is mirrored, 0..1.

    Raises:
        UserError: if `share` is no probability.
    """

    share: float = 0.5
    moves_pixels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise UserError(
                f"RandomFlip(share={self.share}) is no probability. Give a number from 0 to 1."
            )

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        flipped = torch.rand(len(images), generator=generator) < self.share
        return torch.where(flipped.view(-1, 1, 1, 1), images.flip(3), images)


@final
@dataclass(frozen=True)
class RandomErase:
    """Fill a rectangle of images with the image's median colour (Zhong et al., AAAI 2020).

    Its two sides are independent, and its middle lies anywhere. A network trained with it has seen
    images with missing parts, which removal-based explanations later show it.

    Args:
        share: the probability that an image is erased, 0..1.
        largest: the longest side of the rectangle, as a fraction of the image's, above 0 up to 1.

    Raises:
        UserError: if an argument is out of range.
    """

    share: float = 0.5
    largest: float = 0.5
    moves_pixels: ClassVar[bool] = True  # the median colour is one that the image has

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise UserError(
                f"RandomErase(share={self.share}) is no probability. Give a number from 0 to 1."
            )
        if not 0 < self.largest <= 1:
            raise UserError(
                f"RandomErase(largest={self.largest}) is no part of an image's side. "
                "Give a number above 0, up to 1."
            )

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        n, _, height, width = images.shape
        erased = torch.rand(n, generator=generator) < self.share
        down, across = (self._spans(n, side, generator) for side in (height, width))
        inside = (down[:, :, None] & across[:, None, :] & erased[:, None, None])[:, None]
        return torch.where(inside, images.flatten(2).median(dim=2).values[:, :, None, None], images)

    def _spans(self, n: int, side: int, generator: torch.Generator) -> Bool[Tensor, "n side"]:
        """Rows, or columns, that each image's rectangle covers."""
        length = torch.randint(
            1, max(1, round(self.largest * side)) + 1, (n, 1), generator=generator
        )
        first = torch.randint(side, (n, 1), generator=generator) - length // 2
        offset = torch.arange(side) - first
        return (offset >= 0) & (offset < length)


@final
@dataclass(frozen=True)
class Chain:
    """Several augmentations in turn; a list under `augmentation` in a config makes one.

    Args:
        steps: the augmentations, in order.
    """

    steps: tuple[Augmentation, ...]

    @property
    def moves_pixels(self) -> bool:
        """Whether every step only moves pixels."""
        return all(getattr(step, "moves_pixels", False) for step in self.steps)

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        for step in self.steps:
            images = step(images, generator)
        return images
