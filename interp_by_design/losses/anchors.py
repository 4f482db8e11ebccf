"""Anchoring of attributes to fixed, coarse waves of the image.

It lets trainings that differ in their seed find the same attributes.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.losses.all_reduce import (
    centred_over_processes,
    mean_over_processes,
    mean_square_over_processes,
)
from interp_by_design.statistics import correlation_from_moments
from interp_by_design.terms import Attributes, Images, Scalar

# Added to the variances of attributes and anchors: correlations of columns that hardly vary, and
# their gradients, stay small and finite.
MIN_VARIANCE = 1e-4


def anchoring(attributes: Attributes, images: Images) -> Scalar:
    """Compute L = 1 - mean_j corr(φ_j, a_j) over the batch.

    a_j = relu(t_j - mean t_j) for the first ceil(J/2) attributes and relu(mean t_j - t_j) for the
    others, in the order of a signed dictionary's parts; t_j is the product of the image with the
    j-th of `waves`. a_j depends neither on the seed nor on f, so that a small weight selects one of
    many equally good dictionaries. Means are taken over all processes.

    Args:
        attributes: Φ(x), [n, J].
        images: x, [n, c, h, w].

    Returns:
        The loss, 0..2; 0 where each attribute is its anchor, up to shift and scale.

    Source: Original to this project.

    >>> images = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    >>> brightness = images.mean(dim=(1, 2, 3))[:, None]
    >>> anchoring((brightness - brightness.mean()).relu() * 100, images).item() < 0.1
    True
    """
    n_attributes = attributes.shape[1]
    basis = waves(tuple(images.shape[1:]), (n_attributes + 1) // 2).to(images)
    amounts = centred_over_processes(images.flatten(1) @ basis.T)
    parts = torch.cat([amounts, -amounts], dim=1)[:, :n_attributes].relu()
    anchors = centred_over_processes(parts)
    varied = centred_over_processes(attributes)
    correlations = correlation_from_moments(
        mean_over_processes((varied * anchors).mean(dim=0)),
        mean_square_over_processes(varied) + MIN_VARIANCE,
        mean_square_over_processes(anchors) + MIN_VARIANCE,
    )
    return 1 - correlations.mean()


@lru_cache(maxsize=8)
def waves(shape: tuple[int, ...], count: int) -> Float[Tensor, "count pixels"]:
    """Return the slowest waves of images: products of cosines over the three axes.

    They are those of the type-II discrete cosine transform, in the order of their sum of
    frequencies, where a frequency across channels counts double.

    Args:
        shape: The shape (c, h, w) of the images.
        count: How many waves to return.

    Returns:
        Waves of unit length, [count, c * h * w]; zeros where the images have no more.

    >>> waves((1, 2, 2), 2).round(decimals=2).tolist()
    [[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5]]
    """
    channels, height, width = shape
    # A wave of a higher frequency has at least `count` slower ones on its own axis.
    size = range(count)
    order = sorted(
        (2 * k + u + v, max(u, v), k, u, v)
        for k in size[:channels]
        for u in size[:height]
        for v in size[:width]
    )
    # The cached tensor has to serve training too, even if the first call is in inference mode.
    with torch.inference_mode(mode=False):
        basis = torch.zeros(count, channels * height * width)
        for row, (_, _, k, u, v) in zip(basis, order, strict=False):
            factors = _wave(k, channels), _wave(u, height), _wave(v, width)
            row += torch.einsum("c,h,w->chw", *factors).flatten()
            row /= row.norm()
    return basis


def _wave(frequency: int, length: int) -> Tensor:
    return torch.cos(math.pi * frequency * (torch.arange(length) + 0.5) / length)
