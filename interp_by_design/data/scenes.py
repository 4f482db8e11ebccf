"""The factors behind each image of `factors`: what they are, how they are drawn, and the rule that makes a label of them.

Knows nothing of pixels: `render` draws what a record says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.data.order import Purpose, generator
from interp_by_design.terms import Indices, Labels, UnknownName, UserError


@dataclass(frozen=True)
class NamedValues:
    """A factor with named values, each as likely as the others; a record holds the position of the name."""

    names: tuple[str, ...]

    def draw(self, n: int, draws: torch.Generator) -> Int[Tensor, "n"]:
        return torch.randint(len(self.names), (n,), generator=draws)


@dataclass(frozen=True)
class UniformValues:
    """A factor with a real value, drawn uniformly from low to high."""

    low: float
    high: float

    def draw(self, n: int, draws: torch.Generator) -> Float[Tensor, "n"]:
        return self.low + (self.high - self.low) * torch.rand(n, generator=draws)


SIDE = 32
SHAPES = ("disc", "ring", "square", "triangle")
ROUND = ("disc", "ring")
TEXTURES = ("plain", "striped", "checked")
DISTRACTORS = ("none", "spot", "bar")
SHORTCUTS = ("none", "corner_patch")

FACTORS: Mapping[str, NamedValues | UniformValues] = MappingProxyType(
    {
        "shape": NamedValues(SHAPES),
        "texture": NamedValues(TEXTURES),
        "hue": UniformValues(0.0, 1.0),
        "size": UniformValues(5.0, 7.5),
        "x": UniformValues(12.0, 20.0),
        "y": UniformValues(12.0, 20.0),
        "rotation": UniformValues(0.0, 2 * math.pi),
        "background": UniformValues(0.0, 0.4),
        "distractor": NamedValues(DISTRACTORS),
        "distractor_x": UniformValues(2.0, 30.0),
        "distractor_y": UniformValues(2.0, 30.0),
    }
)
VALUES = MappingProxyType(
    {**FACTORS, "shortcut": NamedValues(SHORTCUTS)}
)  # of every column; a shortcut is not drawn like the rest
CAUSAL = ("shape", "texture")
NUISANCES = tuple(name for name in FACTORS if name not in CAUSAL)

OUTLINES = ("round", "angular")
CLASS_NAMES = tuple(f"{texture} {outline}" for texture in TEXTURES for outline in OUTLINES)

SHORTCUT_CLASS = 0
SHORTCUT_SHARE = 0.95


@dataclass(frozen=True, eq=False)
class Scenes:
    """A table, one row an image and one column a factor [n]; named factors hold the position of the name in `VALUES`.

    shape, texture: the causes of the label.
    hue: 0..1, once round the colours. size: radius in pixels of the disc of equal area.
    x, y: centre in pixels, from the left and from the top of 32. rotation: radians, clockwise. background: gray level 0..1.
    distractor, distractor_x, distractor_y: a small gray thing behind the object, and its centre in pixels.
    shortcut: position in `SHORTCUTS`, 0 in every row unless one was switched on.
    """

    shape: Int[Tensor, "n"]
    texture: Int[Tensor, "n"]
    hue: Float[Tensor, "n"]
    size: Float[Tensor, "n"]
    x: Float[Tensor, "n"]
    y: Float[Tensor, "n"]
    rotation: Float[Tensor, "n"]
    background: Float[Tensor, "n"]
    distractor: Int[Tensor, "n"]
    distractor_x: Float[Tensor, "n"]
    distractor_y: Float[Tensor, "n"]
    shortcut: Int[Tensor, "n"]

    def __len__(self) -> int:
        return self.shape.shape[0]

    def columns(self) -> dict[str, Tensor]:
        """Every factor by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

    def take(self, rows: Indices | slice) -> Scenes:
        """The scenes of some rows, in the order given."""
        return Scenes(**{name: column[rows] for name, column in self.columns().items()})

    def changed(self, factor: str, value: str | float | Tensor) -> Scenes:
        """The same scenes with one factor set: to a name, a number, or a tensor [n] of them.

        Raises UnknownName for a factor or a name that there is not. Numbers may leave the interval that factors are drawn from.

        >>> draw(3, seed=0).changed("texture", "striped").texture
        tensor([1, 1, 1])
        """
        columns = self.columns()
        if factor not in columns:
            raise UnknownName.among("factor", factor, columns, owner="factors")
        new = torch.as_tensor(_position(factor, value) if isinstance(value, str) else value)
        if new.shape not in ((), (len(self),)):
            raise UserError(
                f"Factor '{factor}' came with shape {tuple(new.shape)} for {len(self)} scenes. Give one value, or one each."
            )
        if wanted := _missed(factor, new):
            raise UserError(f"Factor '{factor}' cannot be {value}. Give {wanted}.")
        return replace(self, **{factor: new.to(columns[factor].dtype).expand(len(self)).clone()})

    def labels(self) -> Labels:
        """The rule: position in `CLASS_NAMES` of the texture and of whether the shape is round. Nothing else enters."""
        angular = ~torch.isin(self.shape, torch.tensor([SHAPES.index(name) for name in ROUND]))
        return self.texture * len(OUTLINES) + angular.long()


def draw(n: int, seed: int, part: int = 0, shortcut: str | None = None) -> Scenes:
    """`n` scenes with independent factors, a pure function of the arguments; `part` tells splits of one seed apart.

    A `shortcut` marks 95 % of class 0 and no other; it changes no other factor. Raises UnknownName if there is no such shortcut.
    """
    if shortcut is not None and shortcut not in SHORTCUTS[1:]:
        raise UnknownName.among("shortcut", shortcut, SHORTCUTS[1:], owner="factors")
    # A stream for each factor: one that is added or switched on leaves the others as they were.
    streams = (generator(Purpose.SCENE, seed, part, k) for k in range(len(FACTORS) + 1))
    columns = {name: factor.draw(n, next(streams)) for name, factor in FACTORS.items()}
    clean = Scenes(**columns, shortcut=torch.zeros(n, dtype=torch.int64))
    if shortcut is None:
        return clean
    marked = (clean.labels() == SHORTCUT_CLASS) & (
        torch.rand(n, generator=next(streams)) < SHORTCUT_SHARE
    )
    return replace(clean, shortcut=marked * SHORTCUTS.index(shortcut))


def _position(factor: str, name: str) -> int:
    kind = VALUES[factor]
    if not isinstance(kind, NamedValues):
        raise UserError(
            f"Factor '{factor}' has no named values, so it cannot be '{name}'. Give a number."
        )
    if name not in kind.names:
        raise UnknownName.among(factor, name, kind.names, owner="factors")
    return kind.names.index(name)


def _missed(factor: str, values: Tensor) -> str:
    """What was wanted, where the values are not that; else nothing."""
    kind = VALUES[factor]
    if isinstance(kind, NamedValues):
        positions = torch.arange(len(kind.names))
        return "" if torch.isin(values, positions).all() else f"one of {', '.join(kind.names)}"
    possible = values.isfinite() & ((values > 0) | (factor != "size"))
    return "" if possible.all() else "finite numbers, above 0 for a size"
