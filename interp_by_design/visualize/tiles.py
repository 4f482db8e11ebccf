"""Images as pictures, and heat maps over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from numpy.typing import NDArray
from torch import Tensor

from interp_by_design.terms import UserError

Picture = NDArray[np.float32]  # [h, w, 3] in 0..1

MIN_SMOOTHED = 64  # pixels; smaller images are drawn as squares
MIN_OUTLINED = 120  # pixels; an image this large shows a line of one pixel


def picture(image: Tensor) -> Picture:
    """Convert an image to a picture.

    Of four channels the last (opacity) is dropped; of any other number but three, the mean is drawn
    in grey. Values are clipped, and NaN becomes 0.

    Args:
        image: [c, h, w] in [0, 1].

    Returns:
        [h, w, 3] in [0, 1].

    Raises:
        UserError: if `image` is not a single image.
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
    """Lay a heat map over an image in grey.

    Args:
        base: the picture.
        heat: [h, w] in [0, 1]; the hotter, the more of its colour and the less of the image.
        colours: the colour map.

    Returns:
        The picture.
    """
    heat = np.nan_to_num(np.asarray(heat, dtype=np.float32)).clip(0, 1)
    grey = base.mean(axis=2, keepdims=True).repeat(3, axis=2) * 0.7 + 0.15
    share = (0.85 * heat**0.7)[..., None]
    mixed: Picture = (grey * (1 - share) + colours(heat)[..., :3] * share).astype(np.float32)
    return mixed


def hottest(heat: NDArray[Any], area: float = 0.1) -> NDArray[np.bool_]:
    """Return the hottest pixels of a heat map.

    Args:
        heat: [h, w].
        area: their share of all pixels; of equal pixels the first count.

    Returns:
        [h, w], true for the hottest; none of a map without positive values.
    """
    heat = np.nan_to_num(np.asarray(heat))
    chosen = np.zeros(heat.size, dtype=bool)
    order = (-heat).argsort(axis=None, kind="stable")
    chosen[order[: max(1, round(area * heat.size))]] = True
    return (chosen & (heat.ravel() > 0)).reshape(heat.shape)


def outlined(drawn: Picture, chosen: NDArray[np.bool_]) -> Picture:
    """Draw a line around pixels, white inside and black outside, visible on any colour.

    Small pictures are enlarged first, so that the thin line hides no pixel.

    Args:
        drawn: the picture.
        chosen: [h, w], the pixels.

    Returns:
        The picture.
    """
    times = -(-MIN_OUTLINED // max(chosen.shape))
    large = drawn.repeat(times, axis=0).repeat(times, axis=1)
    mask = chosen.repeat(times, axis=0).repeat(times, axis=1)
    reach = max(1, round(max(mask.shape) / MIN_OUTLINED))
    large[_grown(mask, reach) & ~mask] = 0.0
    large[_grown(~mask, reach) & mask] = 1.0
    return large


def _grown(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """The mask, with every pixel at most `reach` rows and columns away from it."""
    padded = np.pad(mask, reach)
    rows = np.logical_or.reduce([padded[i : i + len(mask)] for i in range(2 * reach + 1)])
    grown: NDArray[np.bool_] = np.logical_or.reduce(
        [rows[:, i : i + mask.shape[1]] for i in range(2 * reach + 1)]
    )
    return grown


def draw_picture(
    axes: Axes, drawn: Picture, x: float, y: float, side: float
) -> tuple[float, float]:
    """Draw a picture in the middle of a square, undistorted.

    Few pixels are drawn as squares, many are smoothed.

    Args:
        axes: the axes; y runs down, and limits stay.
        drawn: the picture.
        x: left edge of the square.
        y: top edge of the square.
        side: of the square.

    Returns:
        The width and height of the picture, in the axes' data.
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
        interpolation="nearest" if max(height, width) < MIN_SMOOTHED else "antialiased",
        resample=True,
        zorder=1,
    )
    return across, down
