"""Batches of images, and what a model needs to know of its data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from interp_by_design.terms.arrays import Images, Indices, Labels
from interp_by_design.terms.errors import UserError


class Batch(NamedTuple):
    """A mini-batch.

    Args:
        images: [n, c, h, w] in [0, 1].
        labels: The class of each image, [n].
        indices: The index of each image in its split, [n].
    """

    images: Images
    labels: Labels
    indices: Indices


@dataclass(frozen=True)
class Normalisation:
    """Per-channel `(x - mean) / std` of images in [0, 1]; the identity by default.

    Args:
        mean: One value a channel.
        std: One positive value a channel.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or not all(s > 0 for s in self.std):
            raise UserError(
                f"A normalisation needs as many means as positive deviations, not {self.mean} and "
                f"{self.std}."
            )

    def apply(self, images: Images) -> Images:
        """Convert images to network input.

        Args:
            images: [n, c, h, w] in [0, 1].
        """
        return (images - self._channels(self.mean, images)) / self._channels(self.std, images)

    def invert(self, images: Images) -> Images:
        """Convert network input to images in [0, 1].

        Args:
            images: [n, c, h, w].
        """
        return images * self._channels(self.std, images) + self._channels(self.mean, images)

    @staticmethod
    def _channels(values: Sequence[float], like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1)


@dataclass(frozen=True)
class DataFacts:
    """What a model needs to know of its data, also to be loaded without it.

    Args:
        image_shape: (c, h, w).
        class_names: In the order of the labels.
        normalisation: Of the images.
    """

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    normalisation: Normalisation

    @property
    def n_classes(self) -> int:
        return len(self.class_names)
