"""The planted values of `factors`, as numbers that attributes can be correlated with. Knows nothing of attributes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.data.records import DISTRACTORS, OUTLINES, TEXTURES, Records

CAUSAL = ("texture", "outline")


@dataclass(frozen=True, eq=False)
class Causes:
    """A column a value [n, values], with its name and the factor it tells of.

    The label depends on `texture` and `outline`. Of a factor with two values one column is enough: the other is 1 less it.
    """

    names: tuple[str, ...]
    factors: tuple[str, ...]
    values: Float[Tensor, "n values"]


def causes_of(records: Records) -> Causes:
    """Three textures and the outline, then the nuisances: an angle by its sine and cosine, a number as it is, a name by 0 and 1.

    The shape within an outline, disc or ring, square or triangle, is a nuisance too: `hole` and `corners`.
    """
    texture, shape = records.texture, records.shape
    columns: dict[tuple[str, str], Tensor] = {
        ("texture", name): texture == i for i, name in enumerate(TEXTURES)
    }
    columns["outline", OUTLINES[1]] = records.labels() % len(OUTLINES) == 1
    columns["hole", "ring rather than disc"] = (shape == 1).float() - (shape == 0).float()
    columns["corners", "triangle rather than square"] = (shape == 3).float() - (shape == 2).float()
    for factor, angle in (("hue", 2 * math.pi * records.hue), ("rotation", records.rotation)):
        columns |= {(factor, "sine"): angle.sin(), (factor, "cosine"): angle.cos()}
    for factor in ("size", "x", "y", "background"):
        columns[factor, factor] = getattr(records, factor)
    columns |= {("distractor", name): records.distractor == i for i, name in enumerate(DISTRACTORS)}
    values = torch.stack([column.float() for column in columns.values()], dim=1)
    names = tuple(
        factor if value == factor else f"{factor} is {value}" for factor, value in columns
    )
    return Causes(names, tuple(factor for factor, _ in columns), values)
