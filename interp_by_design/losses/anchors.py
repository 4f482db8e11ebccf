"""Anchoring of attributes to fixed, coarse waves of the image: what lets two trainings find the same attributes."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from interp_by_design.losses.all_reduce import mean_over_processes
from interp_by_design.statistics import correlation_from_moments
from interp_by_design.terms import Attributes, Images, Scalar

LEAST_VARIANCE = 1e-4  # of an attribute or an anchor that hardly varies, so that its correlation and gradient stay small and finite


def anchoring(attributes: Attributes, images: Images) -> Scalar:
    """L = 1 - mean_j corr(φ_j, a_j) over the batch, 0..2; 0 where each attribute is its anchor, up to shift and scale.

    a_j = relu(t_j - its mean) for the first ceil(J/2) attributes, the same of -t_j for the others, in the order in which a signed
    dictionary has the two parts of its directions; t_j is how much of the j-th of `waves` the image holds. Nothing in a_j depends
    on the seed or on f, so that a small weight says which of many equally good dictionaries is learned. It is a batch statistic,
    taken over all ranks under DDP. The house's own.
    """
    n_attributes = attributes.shape[1]
    basis = waves(tuple(images.shape[1:]), (n_attributes + 1) // 2).to(images)
    held = _centred(images.flatten(1) @ basis.T)
    anchors = _centred(torch.cat([held, -held], dim=1)[:, :n_attributes].relu())
    varied = _centred(attributes)
    correlations = correlation_from_moments(
        mean_over_processes((varied * anchors).mean(dim=0)),
        _mean_square(varied) + LEAST_VARIANCE,
        _mean_square(anchors) + LEAST_VARIANCE,
    )
    return 1 - correlations.mean()


@lru_cache(maxsize=8)
def waves(shape: tuple[int, ...], count: int) -> Tensor:
    """The `count` slowest waves [count, c * h * w] of images of `shape` (c, h, w), of unit length; zeros where there are no more.

    Products of cosines over the axes, as the type-II discrete cosine transform has them, by their sum of frequencies, where those
    of differences between channels count double.
    """
    channels, height, width = shape
    size = range(
        count
    )  # a wave of a higher frequency has at least `count` slower ones on its own axis
    order = sorted(
        (2 * k + u + v, max(u, v), k, u, v)
        for k in size[:channels]
        for u in size[:height]
        for v in size[:width]
    )
    with torch.inference_mode(
        mode=False
    ):  # what is kept here has to serve training too, whoever asks first
        basis = torch.zeros(count, channels * height * width)
        for row, (_, _, k, u, v) in zip(basis, order, strict=False):
            row += torch.einsum(
                "c,h,w->chw", _wave(k, channels), _wave(u, height), _wave(v, width)
            ).flatten()
            row /= row.norm()
    return basis


def _wave(frequency: int, length: int) -> Tensor:
    return torch.cos(math.pi * frequency * (torch.arange(length) + 0.5) / length)


def _centred(columns: Tensor) -> Tensor:
    return columns - mean_over_processes(columns.mean(dim=0))


def _mean_square(columns: Tensor) -> Tensor:
    """Of each column, over all ranks."""
    return mean_over_processes(columns.square().mean(dim=0))
