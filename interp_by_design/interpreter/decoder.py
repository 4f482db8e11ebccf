"""Decoders d for small images: from attributes to an image in [0, 1] units."""

from __future__ import annotations

from math import prod
from typing import final

from torch import nn

from interp_by_design.terms import UserError


@final
class DenseDecoder(nn.Sequential):
    """d(Φ): one hidden layer, then every pixel; [n, J] to [n, c, h, w], not clamped.

    For small images: two matrix products cost a fifth of transposed convolutions of the same
    quality at 28x28.

    Args:
        n_attributes: The number of attributes J.
        image_shape: The shape (c, h, w) of the images.
        width: The number of units of the hidden layer.
    """

    def __init__(
        self, n_attributes: int, image_shape: tuple[int, int, int], width: int = 128
    ) -> None:
        super().__init__(
            nn.Linear(n_attributes, width),
            nn.ReLU(),
            nn.Linear(width, prod(image_shape)),
            nn.Unflatten(1, tuple(image_shape)),
        )


@final
class PublishedDecoder(nn.Sequential):
    """FLINT's decoder for 28x28 grey images.

    FC(J, 2x7x7), then two transposed convolutions of stride 2, each with a ReLU.

    Args:
        n_attributes: The number of attributes J.
        image_shape: The shape (c, h, w) of the images, h and w multiples of 4.

    Raises:
        UserError: A side is no multiple of 4.

    Source: FLINT's official networks (`decode_MNIST`); 2,773 parameters with 25 attributes.
    """

    def __init__(self, n_attributes: int, image_shape: tuple[int, int, int]) -> None:
        channels, height, width = image_shape
        if height % 4 or width % 4:
            raise UserError(
                "FLINT's decoder doubles a quarter-size image twice: sides must be multiples of 4, "
                f"not {height}x{width}."
            )
        super().__init__(
            nn.Linear(n_attributes, 2 * (height // 4) * (width // 4)),
            nn.Unflatten(1, (2, height // 4, width // 4)),
            nn.ConvTranspose2d(2, 8, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(8, channels, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
        )
