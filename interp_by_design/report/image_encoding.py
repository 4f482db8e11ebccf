"""Images as data URIs: PNG for small ones, JPEG for photographs."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch.nn.functional as F
from jaxtyping import Float
from PIL import Image
from torch import Tensor

MAX_SMALL = 64  # pixels of the longer side, up to which an image is kept to the pixel
QUALITY = 85  # of JPEG
HEAT = (255, 122, 26)  # orange: neither black, nor white, nor a common colour of photographs
HEAT_LEVELS = 32
MAX_HEAT = 210  # of 255: the image stays visible below the heat
# (images, side in pixels): how many images a page may hold at which longest side, for the page
# to stay below 25 MB.
SIDES = ((900, 224), (1800, 160), (4000, 112))
MIN_SIDE = 64  # pixels


def side_for(n_images: int) -> int:
    """Return the longest side of images on a page with many of them.

    Args:
        n_images: Number of images on the page.

    Returns:
        The side in pixels.

    >>> side_for(200), side_for(10_000)
    (224, 64)
    """
    return next((side for most, side in SIDES if n_images <= most), MIN_SIDE)


def picture(image: Float[Tensor, "c h w"], side: int = SIDES[0][1]) -> str:
    """Encode an image as a data URI.

    Args:
        image: Values in [0, 1], [c, h, w]. Three channels are red, green and blue; any other
            number of channels is averaged to grey.
        side: Longest side in pixels; larger images are made smaller.

    Returns:
        A data URI.
    """
    image = _at_most(image.detach().float().cpu(), side)
    pixels = (image.clamp(0, 1) * 255).round().byte().numpy()
    if len(pixels) == 3:
        encoded = Image.fromarray(pixels.transpose(1, 2, 0))
    else:
        encoded = Image.fromarray(pixels.mean(axis=0).round().astype(np.uint8))
    is_small = max(image.shape[1:]) <= MAX_SMALL
    return _png(encoded) if is_small else _encoded(encoded, "jpeg", quality=QUALITY)


def heat_picture(heat: Float[Tensor, "h w"]) -> str:
    """Encode a heat map as a data URI of an overlay: orange, opaque where it is hot.

    Args:
        heat: Values in [0, 1], [h, w].

    Returns:
        A data URI.
    """
    levels = _at_most(heat.detach().float().cpu()[None], MAX_SMALL)[0].clamp(0, 1)
    indices = (levels * (HEAT_LEVELS - 1)).round().byte().numpy()
    grey = Image.fromarray(indices).convert("L")
    overlay = Image.frombytes("P", grey.size, grey.tobytes())
    overlay.putpalette(HEAT * HEAT_LEVELS)
    alpha = bytes(MAX_HEAT * level // (HEAT_LEVELS - 1) for level in range(HEAT_LEVELS))
    return _png(overlay, transparency=alpha)


def _at_most(image: Float[Tensor, "c h w"], side: int) -> Float[Tensor, "c h2 w2"]:
    height, width = image.shape[1:]
    if max(height, width) <= side:
        return image
    scale = side / max(height, width)
    size = [max(1, round(height * scale)), max(1, round(width * scale))]
    return F.interpolate(image[None], size=size, mode="bilinear", antialias=True)[0]


def _png(image: Image.Image, **options: bytes) -> str:
    return _encoded(image, "png", **options)


def _encoded(image: Image.Image, kind: str, **options: bytes | int) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind.upper(), **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
