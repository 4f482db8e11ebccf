"""Removal of parts of an image."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.terms import Images, UserError

FINE = 4  # pixels of deviation that are enough to blur with
BLUR = 6.0  # the deviation of the blur is a sixth of the shorter side

Maps = Float[Tensor, "n h w"]


def blurred(images: Images, part: float = BLUR) -> Images:
    """Blur images: the replacement of a part that is removed.

    A copy of the image itself needs no data set, keeps the colour and the light of the place, and
    adds fewer edges than a constant does. (The mean image of a split in its place ranks methods in
    the same order, and lets a random part remove more.)

    Args:
        images: [n, c, h, w].
        part: The shorter side over the standard deviation of the Gaussian.

    Returns:
        Blurred images of the same shape.
    """
    shorter = min(images.shape[-2:])
    deviation = shorter / part
    reach = min(round(2 * deviation), shorter - 1)
    if reach < 1:
        return images
    if (
        coarser := int(deviation / FINE)
    ) > 1:  # a large image is blurred at a fraction of its size, a hundred times faster
        height, width = (-(-side // coarser) for side in images.shape[-2:])
        small = blurred(F.interpolate(images, (height, width), mode="area"), part)
        return F.interpolate(small, images.shape[-2:], mode="bilinear", align_corners=False)
    offsets = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    bell = (-0.5 * (offsets / deviation) ** 2).exp()
    kernel = (bell / bell.sum()).view(1, 1, -1)
    planes = F.pad(images, [reach] * 4, mode="reflect").flatten(0, 1)[:, None]
    soft: Tensor = F.conv2d(F.conv2d(planes, kernel[:, :, :, None]), kernel[:, :, None])
    return soft.view_as(images)


def hottest(maps: Maps, area: float) -> Bool[Tensor, "n h w"]:
    """Return the share of pixels where each map is largest; of equals those nearest the top.

    Args:
        maps: [n, h, w].
        area: The share, between 0 and 1.

    Returns:
        Masks, [n, h, w], with as many pixels each.

    Raises:
        UserError: If the area is not between 0 and 1.
    """
    if not 0 < area < 1:
        raise UserError(
            f"area is the share of the pixels that are removed, between 0 and 1, not {area}."
        )
    flat = maps.flatten(1)
    largest = flat.argsort(dim=1, descending=True, stable=True)[
        :, : max(1, round(area * flat.shape[1]))
    ]
    return torch.zeros_like(flat, dtype=torch.bool).scatter_(1, largest, True).view_as(maps)


def without(images: Images, removed: Bool[Tensor, "n h w"]) -> Images:
    """Replace pixels by those of the blurred image.

    Args:
        images: [n, c, h, w].
        removed: Masks, [n, h, w].

    Returns:
        Images of the same shape.
    """
    return torch.where(removed[:, None], blurred(images), images)
