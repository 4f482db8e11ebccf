"""Images as text that stands in the page itself: PNG for small ones, JPEG for photographs. Knows nothing of what is in them."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch.nn.functional as F
from jaxtyping import Float
from PIL import Image
from torch import Tensor

SMALL = 64  # pixels of the longer side, up to which an image is kept to the pixel
QUALITY = 85  # of JPEG
HEAT = (255, 122, 26)  # orange: neither black, nor white, nor a common colour of photographs
HEAT_LEVELS, HEAT_STRONGEST = 32, 210  # of 255: the image is to be seen below
# How many images a page may hold at which longest side, for it to stay below 25 MB.
SIDES = ((900, 224), (1800, 160), (4000, 112))
LEAST_SIDE = 64


def side_for(n_images: int) -> int:
    """The longest side, in pixels, of each image of a page with so many of them."""
    return next((side for most, side in SIDES if n_images <= most), LEAST_SIDE)


def picture(image: Float[Tensor, "c h w"], side: int = SIDES[0][1]) -> str:
    """A data URI of an image in [0, 1], made smaller where its longer side exceeds `side`.

    Three channels are red, green and blue; any other number is averaged to grey.
    """
    image = _at_most(image.detach().float().cpu(), side)
    pixels = (image.clamp(0, 1) * 255).round().byte().numpy()
    drawn = Image.fromarray(
        pixels.transpose(1, 2, 0)
        if len(pixels) == 3
        else pixels.mean(axis=0).round().astype(np.uint8)
    )
    return _png(drawn) if is_small(image) else _encoded(drawn, "jpeg", quality=QUALITY)


def heat_picture(heat: Float[Tensor, "h w"]) -> str:
    """A data URI of a heatmap in [0, 1] to lay over its image: orange, and the hotter the less transparent."""
    levels = _at_most(heat.detach().float().cpu()[None], SMALL)[0].clamp(0, 1) * (HEAT_LEVELS - 1)
    drawn = Image.fromarray(levels.round().byte().numpy()).convert("L")
    drawn = Image.frombytes("P", drawn.size, drawn.tobytes())
    drawn.putpalette(HEAT * HEAT_LEVELS)
    alpha = bytes(HEAT_STRONGEST * level // (HEAT_LEVELS - 1) for level in range(HEAT_LEVELS))
    return _png(drawn, transparency=alpha)


def is_small(image: Float[Tensor, "c h w"]) -> bool:
    """Whether single pixels of it matter."""
    return max(image.shape[1:]) <= SMALL


def _at_most(image: Float[Tensor, "c h w"], side: int) -> Float[Tensor, "c h2 w2"]:
    height, width = image.shape[1:]
    if max(height, width) <= side:
        return image
    scale = side / max(height, width)
    size = [max(1, round(height * scale)), max(1, round(width * scale))]
    return F.interpolate(image[None], size=size, mode="bilinear", antialias=True)[0]


def _png(drawn: Image.Image, **options: bytes) -> str:
    return _encoded(drawn, "png", **options)


def _encoded(drawn: Image.Image, kind: str, **options: bytes | int) -> str:
    buffer = io.BytesIO()
    drawn.save(buffer, kind.upper(), **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
