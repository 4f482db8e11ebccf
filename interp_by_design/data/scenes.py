"""Scenes: the table of factors that images are rendered from, its random draw, and its labels."""

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
    """A factor with equally likely named values, held as the position of the name.

    Args:
        names: the values.
    """

    names: tuple[str, ...]

    def draw(self, n: int, draws: torch.Generator) -> Int[Tensor, "n"]:
        """Draw values.

        Args:
            n: how many.
            draws: the random generator.

        Returns:
            Positions of names [n].
        """
        return torch.randint(len(self.names), (n,), generator=draws)


@dataclass(frozen=True)
class UniformValues:
    """A factor with a real value, uniform between two bounds.

    Args:
        low: the lower bound.
        high: the upper bound.
    """

    low: float
    high: float

    def draw(self, n: int, draws: torch.Generator) -> Float[Tensor, "n"]:
        """Draw values.

        Args:
            n: how many.
            draws: the random generator.

        Returns:
            Values [n].
        """
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
# The values of every column; a shortcut is not drawn like the rest.
VALUES = MappingProxyType({**FACTORS, "shortcut": NamedValues(SHORTCUTS)})
CAUSAL = ("shape", "texture")  # the factors that the label depends on, the shape by its outline
NUISANCES = tuple(name for name in FACTORS if name not in CAUSAL)

OUTLINES = ("round", "angular")
CLASS_NAMES = tuple(f"{texture} {outline}" for texture in TEXTURES for outline in OUTLINES)

SHORTCUT_CLASS = 0
SHORTCUT_SHARE = 0.95


@dataclass(frozen=True, eq=False)
class Scenes:
    """What the renderer draws: a table with a row per image and a column [n] per factor.

    Named factors hold the position of the name in `VALUES`.

    Args:
        shape: of the object; its outline enters the label.
        texture: of the object; it enters the label.
        hue: 0..1, once round the colour circle.
        size: radius in pixels of the disc of equal area.
        x: centre in pixels, from the left of 32.
        y: centre in pixels, from the top of 32.
        rotation: radians, clockwise.
        background: gray level 0..1.
        distractor: a small gray thing behind the object.
        distractor_x: its centre in pixels, from the left.
        distractor_y: its centre in pixels, from the top.
        shortcut: position in `SHORTCUTS`; 0 in every row unless one is switched on.
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
        """Return every factor [n] by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

    def take(self, rows: Indices | slice) -> Scenes:
        """Return some of the scenes.

        Args:
            rows: indices of rows, or a slice.

        Returns:
            These rows, in the order given.
        """
        return Scenes(**{name: column[rows] for name, column in self.columns().items()})

    def changed(self, factor: str, value: str | float | Tensor) -> Scenes:
        """Return the same scenes with one factor changed.

        Args:
            factor: the factor.
            value: a name, a number, or a tensor [n] of one per row. Numbers may leave the range
                that the factor is drawn from.

        Returns:
            The changed scenes.

        Raises:
            UnknownName: if there is no such factor or name.
            UserError: if the value does not fit the factor.

        >>> draw(3, seed=0).changed("texture", "striped").texture
        tensor([1, 1, 1])
        """
        columns = self.columns()
        if factor not in columns:
            raise UnknownName.among("factor", factor, columns, owner="factors")
        new = torch.as_tensor(_position(factor, value) if isinstance(value, str) else value)
        if new.shape not in ((), (len(self),)):
            raise UserError(
                f"Factor '{factor}' came with shape {tuple(new.shape)} for {len(self)} scenes. "
                "Give one value, or one per scene."
            )
        if wanted := _missed(factor, new):
            raise UserError(f"Factor '{factor}' cannot be {value}. Give {wanted}.")
        return replace(self, **{factor: new.to(columns[factor].dtype).expand(len(self)).clone()})

    def labels(self) -> Labels:
        """Return each label: the position in `CLASS_NAMES` of texture and outline, nothing else."""
        angular = ~torch.isin(self.shape, torch.tensor([SHAPES.index(name) for name in ROUND]))
        return self.texture * len(OUTLINES) + angular.long()


def draw(n: int, seed: int, part: int = 0, shortcut: str | None = None) -> Scenes:
    """Draw scenes with independent factors; a pure function of the arguments.

    Args:
        n: how many.
        seed: of the draw.
        part: separates the splits of one seed.
        shortcut: marks 95 % of class 0 and no other class; it changes no other factor.

    Returns:
        The scenes.

    Raises:
        UnknownName: if there is no such shortcut.
    """
    if shortcut is not None and shortcut not in SHORTCUTS[1:]:
        raise UnknownName.among("shortcut", shortcut, SHORTCUTS[1:], owner="factors")
    # A stream for each factor: one that is added or switched on does not change the others.
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
            f"Factor '{factor}' has no named values: '{name}' does not fit. Give a number."
        )
    if name not in kind.names:
        raise UnknownName.among(factor, name, kind.names, owner="factors")
    return kind.names.index(name)


def _missed(factor: str, values: Tensor) -> str:
    """What the factor wants, if the values do not fit it; else nothing."""
    kind = VALUES[factor]
    if isinstance(kind, NamedValues):
        positions = torch.arange(len(kind.names))
        return "" if torch.isin(values, positions).all() else f"one of {', '.join(kind.names)}"
    possible = values.isfinite() & ((values > 0) | (factor != "size"))
    return "" if possible.all() else "finite numbers, above 0 for a size"
