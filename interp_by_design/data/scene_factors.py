"""Factors of rendered images."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from interp_by_design.data.scenes import (
    CAUSAL,
    OUTLINES,
    ROUND,
    SHAPES,
    VALUES,
    NamedValues,
    Scenes,
)
from interp_by_design.terms import FactorKind, Factors

RADIANS = {"hue": 2 * math.pi, "rotation": 1.0}  # of one unit; these factors go round


def factors_of(scenes: Scenes) -> Factors:
    """Return the factors of rendered images.

    Args:
        scenes: the table that the images are rendered from.

    Returns:
        A factor for each column of the table, by the same name. Hue and rotation are angles in
        radians, lengths are in pixels. The label depends on shape and texture.

    >>> from interp_by_design.data.scenes import draw
    >>> factors = factors_of(draw(3, seed=0).changed("texture", "striped"))
    >>> factors.value_of("texture", 0), factors.kind("hue")
    ('striped', 'angle')
    """
    columns = scenes.columns()
    named = {
        name: values.names for name in columns if isinstance(values := VALUES[name], NamedValues)
    }
    return Factors(
        tuple(columns),
        torch.stack(
            [column.double() * RADIANS.get(name, 1.0) for name, column in columns.items()], dim=1
        ),
        tuple(_kind(name) for name in columns),
        tuple(name in CAUSAL for name in columns),
        named,
    )


def split_shape(factors: Factors) -> Factors:
    """Replace the factor shape by the part of it that enters the label, and what is left.

    The label depends on the shape by its outline alone: disc and ring are round, square and
    triangle angular. `hole` (disc or ring) is a nuisance, and unknown for angular shapes;
    `corners` (square or triangle) is one, and unknown for round shapes.

    Args:
        factors: factors of rendered images, with `shape` among them.

    Returns:
        The factors `outline`, `hole` and `corners`, and all others but `shape`.

    >>> from interp_by_design.data.scenes import draw
    >>> factors = split_shape(factors_of(draw(3, seed=0).changed("shape", "ring")))
    >>> factors.value_of("outline", 0), factors.value_of("hole", 0), factors.value_of("corners", 0)
    ('round', 'ring', None)
    """
    shape = factors.column("shape")
    angular = ~torch.isin(shape, torch.tensor([SHAPES.index(name) for name in ROUND]).double())
    parts = {
        "outline": (angular.double(), OUTLINES),
        "hole": (_which(shape, "disc", "ring"), ("disc", "ring")),
        "corners": (_which(shape, "square", "triangle"), ("square", "triangle")),
    }
    rest = factors.only(name for name in factors.names if name != "shape")
    return Factors(
        (*parts, *rest.names),
        torch.cat([torch.stack([values for values, _ in parts.values()], dim=1), rest.values], 1),
        ("binary", "binary", "binary", *rest.kinds),
        (True, False, False, *rest.causal),
        {**{name: names for name, (_, names) in parts.items()}, **rest.value_names},
    )


def _which(shape: Tensor, first: str, second: str) -> Tensor:
    """0 for the first shape, 1 for the second, NaN for others."""
    values = torch.full_like(shape, torch.nan)
    values[shape == SHAPES.index(first)] = 0
    values[shape == SHAPES.index(second)] = 1
    return values


def _kind(name: str) -> FactorKind:
    values = VALUES[name]
    if isinstance(values, NamedValues):
        return "binary" if len(values.names) == 2 else "discrete"
    return "angle" if name in RADIANS else "continuous"
