"""Images as pictures, and heat laid over them. Knows nothing of where the images come from."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from numpy.typing import NDArray
from torch import Tensor

from interp_by_design.terms import UserError

Picture = NDArray[np.float32]  # [h, w, 3] in 0..1

COARSE = 64  # pixels: below, an image is drawn as the squares it is made of
FINE = 120  # pixels: an image of as many shows a line of one pixel


def picture(image: Tensor) -> Picture:
    """An image [c, h, w] of one, three or four channels as [h, w, 3] in 0..1; beyond is cut, and what is no number is 0.

    Of four channels the last (opacity) is left out. Of any other number, the mean is drawn, in grey.
    """
    if image.ndim != 3:
        raise UserError(
            f"A picture is made of one image [c, h, w], not of a tensor {list(image.shape)}."
        )
    channels = np.nan_to_num(
        image.detach().float().cpu().numpy(), nan=0.0, posinf=1.0, neginf=0.0
    ).clip(0, 1)
    rgb = (
        channels[:3]
        if len(channels) in (3, 4)
        else channels.mean(axis=0, keepdims=True).repeat(3, axis=0)
    )
    drawn: Picture = np.ascontiguousarray(rgb.transpose(1, 2, 0), dtype=np.float32)
    return drawn


def overlaid(base: Picture, heat: NDArray[Any], colours: Colormap) -> Picture:
    """The heat [h, w] in 0..1 over the image in grey: the hotter, the more of its colour and the less of the image."""
    heat = np.nan_to_num(np.asarray(heat, dtype=np.float32)).clip(0, 1)
    grey = base.mean(axis=2, keepdims=True).repeat(3, axis=2) * 0.7 + 0.15
    share = (0.85 * heat**0.7)[..., None]
    mixed: Picture = (grey * (1 - share) + colours(heat)[..., :3] * share).astype(np.float32)
    return mixed


def hottest(heat: NDArray[Any], area: float = 0.1) -> NDArray[np.bool_]:
    """The hottest `area` of the pixels, of equals the first; none of a map that is 0 everywhere."""
    heat = np.nan_to_num(np.asarray(heat))
    chosen = np.zeros(heat.size, dtype=bool)
    order = (-heat).argsort(axis=None, kind="stable")
    chosen[order[: max(1, round(area * heat.size))]] = True
    return (chosen & (heat.ravel() > 0)).reshape(heat.shape)


def outlined(drawn: Picture, chosen: NDArray[np.bool_]) -> Picture:
    """The picture with a line around the chosen pixels [h, w]: white within and black without, so that it shows on any colour.

    Pixels that are few are first made larger: the line is thin, and hides none of them.
    """
    times = -(-FINE // max(chosen.shape))
    large = drawn.repeat(times, axis=0).repeat(times, axis=1)
    mask = chosen.repeat(times, axis=0).repeat(times, axis=1)
    reach = max(1, round(max(mask.shape) / FINE))
    large[_grown(mask, reach) & ~mask] = 0.0
    large[_grown(~mask, reach) & mask] = 1.0
    return large


def _grown(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """The mask and every pixel that is at most `reach` rows and columns away from it."""
    padded = np.pad(mask, reach)
    rows = np.logical_or.reduce([padded[i : i + len(mask)] for i in range(2 * reach + 1)])
    grown: NDArray[np.bool_] = np.logical_or.reduce(
        [rows[:, i : i + mask.shape[1]] for i in range(2 * reach + 1)]
    )
    return grown


def draw_picture(
    axes: Axes, drawn: Picture, x: float, y: float, side: float
) -> tuple[float, float]:
    """The picture into a square of `side` at (x, y), in the middle and undistorted; the width and height it takes.

    The axes' y runs down, and their limits stay. Few pixels are drawn as the squares they are, many are smoothed.
    """
    height, width, _ = drawn.shape
    across, down = side * width / max(height, width), side * height / max(height, width)
    left, top = x + (side - across) / 2, y + (side - down) / 2
    axes.set_autoscale_on(False)
    axes.imshow(
        drawn,
        extent=(left, left + across, top + down, top),
        aspect="auto",
        origin="upper",
        interpolation="nearest" if max(height, width) < COARSE else "antialiased",
        resample=True,
        zorder=1,
    )
    return across, down
