"""Renderer of scenes as 3 x 32 x 32 colour images.

Only exact arithmetic touches pixels (no sine, no exponential), so an image does not depend on the
others that are drawn with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from interp_by_design.data.scenes import DISTRACTORS, SHAPES, SHORTCUTS, SIDE, TEXTURES, Scenes
from interp_by_design.terms import Images

BATCH_IMAGES = 128  # drawn together: their planes stay in the processor's cache
SATURATION = 0.7
BASE = 0.65  # brightness of an object
CONTRAST = 0.35  # by which its texture raises and lowers that
DISTRACTOR_GRAY = 0.7
PATCH = 3  # pixels, side of the corner patch

Plane = Float[Tensor, "n h w"]
Field = Callable[[Plane, Plane], Plane]


def render(scenes: Scenes) -> Images:
    """Render scenes.

    Args:
        scenes: n rows.

    Returns:
        Images [n, 3, 32, 32], float32 in [0, 1], exactly those of a data set with these scenes.
    """
    return render_bytes(scenes).float().div_(255)


def render_bytes(scenes: Scenes) -> UInt8[Tensor, "n 3 32 32"]:
    """Render scenes as bytes, in a quarter of the memory.

    Args:
        scenes: n rows.

    Returns:
        Images [n, 3, 32, 32] in 0..255.
    """
    images = torch.empty((len(scenes), 3, SIDE, SIDE), dtype=torch.uint8)
    with _one_thread():
        for start in range(0, len(scenes), BATCH_IMAGES):
            rows = slice(start, start + BATCH_IMAGES)
            images[rows] = _draw(scenes.take(rows))
    return images


@contextmanager
def _one_thread() -> Iterator[None]:
    """Draw on one thread: for planes this small, synchronising threads costs more than it saves."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _draw(scenes: Scenes) -> UInt8[Tensor, "n 3 32 32"]:
    object_, shade = _object(scenes)
    behind = scenes.background.view(-1, 1, 1) + _distractor(scenes) * (
        DISTRACTOR_GRAY - scenes.background
    ).view(-1, 1, 1)
    scene = (
        _colour(scenes.hue)[:, :, None, None] * (object_ * shade)[:, None]
        + (behind * (1 - object_))[:, None]
    )
    images = scene.mul_(255).add_(0.5).clamp_(0, 255).to(torch.uint8)
    marked = scenes.shortcut == SHORTCUTS.index("corner_patch")
    images[:, :, :PATCH, :PATCH].masked_fill_(marked.view(-1, 1, 1, 1), 255)
    return images


def _object(scenes: Scenes) -> tuple[Plane, Plane]:
    """The share of each pixel that the object covers, 0..1, and the object's brightness there.

    Both are evaluated in the object's own rotated and scaled coordinates.
    """
    size = scenes.size.view(-1, 1, 1)
    across, down = _offsets(scenes.x, scenes.y)
    # In double precision: rounding to single is then the same at every position of a vector.
    angle = scenes.rotation.double().view(-1, 1, 1)
    cos, sin = angle.cos().float() / size, angle.sin().float() / size
    u, v = across * cos + down * sin, down * cos - across * sin
    covered = (0.5 - size * _by_kind(scenes.shape, SHAPES, OUTLINE, u, v)).clamp_(0, 1)
    return covered, BASE + CONTRAST * _by_kind(scenes.texture, TEXTURES, PATTERN, u, v)


def _distractor(scenes: Scenes) -> Plane:
    across, down = _offsets(scenes.distractor_x, scenes.distractor_y)
    return _by_kind(
        scenes.distractor,
        DISTRACTORS,
        DISTRACTION,
        across.expand(-1, SIDE, -1),
        down.expand(-1, -1, SIDE),
    )


def _offsets(
    x: Float[Tensor, "n"], y: Float[Tensor, "n"]
) -> tuple[Float[Tensor, "n 1 w"], Float[Tensor, "n h 1"]]:
    """Offsets in pixels of every pixel's centre from (x, y): a row and a column for each image."""
    centres = torch.arange(SIDE) + 0.5
    return (centres - x[:, None])[:, None, :], (centres - y[:, None])[:, :, None]


def _by_kind(
    kind: Int[Tensor, "n"], names: Sequence[str], fields: dict[str, Field], u: Plane, v: Plane
) -> Plane:
    """Each image's own field at its (u, v); 0 where its kind has none."""
    values = torch.zeros_like(u)
    for position, name in enumerate(names):
        if name in fields:
            rows = (kind == position).nonzero().squeeze(1)
            values[rows] = fields[name](u[rows], v[rows])
    return values


# Signed distance from an outline, negative inside. Every outline has the area of the unit disc, so
# that no class is larger than another.
RING = 2 / math.sqrt(3)  # Outer radius; the inner one is half of it.
SQUARE = math.sqrt(math.pi) / 2  # Half the side.
TRIANGLE = math.sqrt(math.pi / (3 * math.sqrt(3)))  # Radius of the circle inside.


def _disc(u: Plane, v: Plane) -> Plane:
    return (u * u + v * v).sqrt() - 1


def _ring(u: Plane, v: Plane) -> Plane:
    return ((u * u + v * v).sqrt() - 0.75 * RING).abs() - 0.25 * RING


def _square(u: Plane, v: Plane) -> Plane:
    return torch.maximum(u.abs(), v.abs()) - SQUARE


def _triangle(u: Plane, v: Plane) -> Plane:
    return torch.maximum(v, u.abs() * (math.sqrt(3) / 2) - v / 2) - TRIANGLE


OUTLINE: dict[str, Field] = {"disc": _disc, "ring": _ring, "square": _square, "triangle": _triangle}

# Brightness in [-1, 1], odd in u while every outline is even in u: no texture adds light in total.
PERIOD = 0.7


def _wave(t: Plane) -> Plane:
    """A triangle wave in [-1, 1] along t, odd about 0."""
    turns = t / PERIOD + 0.25
    return (turns - turns.floor() - 0.5).abs() * 4 - 1


def _stripes(u: Plane, v: Plane) -> Plane:
    return (2 * _wave(u)).clamp_(-1, 1)


def _checks(u: Plane, v: Plane) -> Plane:
    return (3 * _wave(u) * _wave(v)).clamp_(-1, 1)


PATTERN: dict[str, Field] = {"striped": _stripes, "checked": _checks}


# Coverage 0..1, from distances in pixels.
def _spot(u: Plane, v: Plane) -> Plane:
    return (2.5 - (u * u + v * v).sqrt()).clamp_(0, 1)


def _bar(u: Plane, v: Plane) -> Plane:
    return (3.5 - u.abs()).clamp_(0, 1) * (1.5 - v.abs()).clamp_(0, 1)


DISTRACTION: dict[str, Field] = {"spot": _spot, "bar": _bar}


def _colour(hue: Float[Tensor, "n"]) -> Float[Tensor, "n 3"]:
    """Red, green and blue 0..1 of a hue, at full value and fixed saturation.

    Source: Smith 1978, the closed form for HSV.
    """
    k = (torch.tensor([5.0, 3.0, 1.0]) + 6 * hue[:, None]) % 6
    return 1 - SATURATION * torch.minimum(k, 4 - k).clamp(0, 1)
