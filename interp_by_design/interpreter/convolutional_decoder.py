"""d for images of any size: a small grid of maps, enlarged step by step. Knows nothing of losses."""

from __future__ import annotations

from typing import final

from torch import channels_last, nn

from interp_by_design.terms import UserError

GRID = 8  # the first grid has at most this side
DECODED = 64  # larger images are decoded at no more than this side, then enlarged
FEWEST = 16  # maps


@final
class ConvDecoder(nn.Sequential):
    """d(Φ): one dense layer to a grid of `channels` maps of at most 8x8; then, again and again, twice the size and half the maps.

    [n, J] to [n, c, h, w], not clamped. The last doubling is a sub-pixel convolution, which spares one at full size. Images above
    64x64 are decoded at an even fraction of their size and enlarged by linear interpolation: a few attributes do not tell the
    finest detail, and pixels are what costs. With 36 attributes 82,140 parameters at 32x32x3 and 66,700 at 224x224x3, where a
    dense decoder has 19 million.

    Source: resizing before a convolution, Odena et al. (2016), distill.pub/2016/deconv-checkerboard; sub-pixel convolution, Shi
    et al. (2016), arXiv 1609.05158.
    """

    def __init__(
        self, n_attributes: int, image_shape: tuple[int, int, int], channels: int = 32
    ) -> None:
        """Raises `UserError` for images with a side below 8."""
        colours, height, width = image_shape
        if min(height, width) < GRID:
            raise UserError(
                f"This decoder makes images of 8x8 and larger, not {height}x{width}; interpreter=linear makes any."
            )
        grid, *steps = _sizes(height, width)
        layers: list[nn.Module] = [
            nn.Linear(n_attributes, channels * grid[0] * grid[1]),
            nn.Unflatten(1, (channels, *grid)),
            nn.LeakyReLU(0.1),
        ]
        maps = channels
        for step in steps:
            fewer = max(FEWEST, maps // 2)
            layers += [nn.Upsample(step), nn.Conv2d(maps, fewer, 3, padding=1), nn.LeakyReLU(0.1)]
            maps = fewer
        layers += [nn.Conv2d(maps, 4 * colours, 3, padding=1), nn.PixelShuffle(2)]
        half = (steps or [grid])[-1]
        if (2 * half[0], 2 * half[1]) != (height, width):
            layers.append(nn.Upsample((height, width), mode="bilinear"))
        super().__init__(*layers)
        self.to(memory_format=channels_last)


def _sizes(height: int, width: int) -> list[tuple[int, int]]:
    """From the grid up to half the decoded size; each is half of the next, rounded up."""
    fraction = -(-max(height, width) // DECODED)
    sizes = [(-(-height // (2 * fraction)), -(-width // (2 * fraction)))]
    while max(sizes[0]) > GRID:
        sizes.insert(0, (-(-sizes[0][0] // 2), -(-sizes[0][1] // 2)))
    return sizes
