"""Convolutional decoder d for images of any size."""

from __future__ import annotations

from typing import final

from torch import channels_last, nn

from interp_by_design.terms import UserError

MAX_GRID_SIDE = 8  # positions, of the first grid
MAX_DECODED_SIDE = 64  # pixels; larger images are decoded at this side or less, then enlarged
MIN_MAPS = 16


@final
class ConvDecoder(nn.Sequential):
    """d(Φ): a dense layer to a small grid of maps, then convolutions that double it step by step.

    [n, J] to [n, c, h, w], not clamped. Each step halves the number of maps. The last doubling is a
    sub-pixel convolution, which spares one at full size. Images above 64x64 are decoded at an even
    fraction of their size and enlarged by linear interpolation: a few attributes do not hold the
    finest detail, and time grows with pixels. With 36 attributes it has 82,140 parameters at
    32x32x3 and 66,700 at 224x224x3, where a dense decoder has 19 million.

    Args:
        n_attributes: The number of attributes J.
        image_shape: The shape (c, h, w) of the images, h and w at least 8.
        channels: The number of maps of the first grid.

    Raises:
        UserError: A side is below 8.

    Source: resizing before a convolution, Odena et al. (2016),
        distill.pub/2016/deconv-checkerboard; sub-pixel convolution, Shi
    et al. (2016), arXiv 1609.05158.
    """

    def __init__(
        self, n_attributes: int, image_shape: tuple[int, int, int], channels: int = 32
    ) -> None:
        colours, height, width = image_shape
        if min(height, width) < MAX_GRID_SIDE:
            raise UserError(
                f"This decoder makes images of 8x8 and larger, not {height}x{width}; "
                "interpreter=linear makes any."
            )
        grid, *steps = _sizes(height, width)
        layers: list[nn.Module] = [
            nn.Linear(n_attributes, channels * grid[0] * grid[1]),
            nn.Unflatten(1, (channels, *grid)),
            nn.LeakyReLU(0.1),
        ]
        maps = channels
        for step in steps:
            fewer = max(MIN_MAPS, maps // 2)
            layers += [nn.Upsample(step), nn.Conv2d(maps, fewer, 3, padding=1), nn.LeakyReLU(0.1)]
            maps = fewer
        layers += [nn.Conv2d(maps, 4 * colours, 3, padding=1), nn.PixelShuffle(2)]
        half = (steps or [grid])[-1]
        if (2 * half[0], 2 * half[1]) != (height, width):
            layers.append(nn.Upsample((height, width), mode="bilinear"))
        super().__init__(*layers)
        self.to(memory_format=channels_last)


def _sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return sizes from the grid to half the decoded size, each half of the next, rounded up."""
    fraction = -(-max(height, width) // MAX_DECODED_SIDE)
    sizes = [(-(-height // (2 * fraction)), -(-width // (2 * fraction)))]
    while max(sizes[0]) > MAX_GRID_SIDE:
        sizes.insert(0, (-(-sizes[0][0] // 2), -(-sizes[0][1] // 2)))
    return sizes
