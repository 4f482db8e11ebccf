"""Generative factors and concepts of the images of a split."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from interp_by_design.terms.arrays import Indices
from interp_by_design.terms.errors import UnknownName, UserError


@dataclass(frozen=True, eq=False)
class Concepts:
    """The concepts that label the images of a split.

    Args:
        names: the concepts, such as "texture is striped".
        present: [n, concepts], whether an image has a concept; in the order of the split.
    """

    names: tuple[str, ...]
    present: Bool[Tensor, "n concepts"]


FactorKind = Literal["continuous", "discrete", "binary", "angle"]
FACTOR_KINDS: tuple[FactorKind, ...] = get_args(FactorKind)


@dataclass(frozen=True, eq=False)
class Factors:
    """The generative factors of the images of a split: one row per image, one column per factor.

    Args:
        names: the factors, all different.
        values: [n, F], float64. A discrete or binary factor holds the position of its value in
            `value_names`, an angle is in radians; NaN where a value is unknown.
        kinds: of each factor, one of `FACTOR_KINDS`.
        causal: of each factor, whether the label depends on it; the others are nuisances.
        value_names: the names of the values of each discrete and binary factor, by factor.

    Raises:
        UserError: if names, values, kinds, causal and value_names do not fit together.

    >>> values = torch.tensor([[0, 0.2], [1, 0.5], [1, 0.9]], dtype=torch.float64)
    >>> factors = Factors(
    ...     ("shape", "size"), values, ("binary", "continuous"), (True, False),
    ...     {"shape": ("disc", "square")},
    ... )
    >>> factors.column("size").tolist(), factors.value_of("shape", 2)
    ([0.2, 0.5, 0.9], 'square')
    >>> factors.concepts().names
    ('shape is disc', 'shape is square')
    """

    names: tuple[str, ...]
    values: Float64[Tensor, "n factors"]
    kinds: tuple[FactorKind, ...]
    causal: tuple[bool, ...]
    value_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {len(self.names), self.values.shape[1], len(self.kinds), len(self.causal)}
        if len(counts) > 1 or len(set(self.names)) < len(self.names):
            raise UserError(
                f"{len(self.names)} factors came with {self.values.shape[1]} columns, "
                f"{len(self.kinds)} kinds and {len(self.causal)} causal flags. "
                "Give one of each per factor, and every factor its own name."
            )
        for name, kind in zip(self.names, self.kinds, strict=True):
            if kind not in FACTOR_KINDS:
                raise UnknownName.among("kind of factor", str(kind), FACTOR_KINDS)
            if kind in ("discrete", "binary"):
                self._check_positions(name, kind)

    def __len__(self) -> int:
        return self.values.shape[0]

    def column(self, name: str) -> Float64[Tensor, "n"]:
        """Return the values of one factor.

        Args:
            name: the factor.

        Returns:
            The values [n]; NaN where one is unknown.

        Raises:
            UnknownName: if there is no such factor.
        """
        return self.values[:, self._position(name)]

    def kind(self, name: str) -> FactorKind:
        """Return the kind of one factor.

        Args:
            name: the factor.

        Returns:
            One of `FACTOR_KINDS`.

        Raises:
            UnknownName: if there is no such factor.
        """
        return self.kinds[self._position(name)]

    def value_of(self, name: str, row: int) -> str | float | None:
        """Return one factor of one image, as people say it.

        Args:
            name: the factor.
            row: the image's row.

        Returns:
            The name of a discrete or binary value, else the number; None where it is unknown.

        Raises:
            UnknownName: if there is no such factor.
        """
        value = float(self.column(name)[row])
        if math.isnan(value):
            return None
        return self.value_names[name][int(value)] if name in self.value_names else value

    def select(self, rows: Indices | slice) -> Factors:
        """Return the factors of some images.

        Args:
            rows: indices of rows, or a slice.

        Returns:
            The factors of these images, in the order of `rows`.
        """
        return replace(self, values=self.values[rows])

    def only(self, names: Iterable[str]) -> Factors:
        """Return some of the factors.

        Args:
            names: the factors to keep.

        Returns:
            These factors of all images, in the order of `names`.

        Raises:
            UnknownName: if there is no such factor.
        """
        positions = [self._position(name) for name in names]
        kept = tuple(self.names[i] for i in positions)
        return Factors(
            kept,
            self.values[:, positions],
            tuple(self.kinds[i] for i in positions),
            tuple(self.causal[i] for i in positions),
            {name: self.value_names[name] for name in kept if name in self.value_names},
        )

    def concepts(self) -> Concepts:
        """Return a concept for each value of each discrete or binary factor.

        Returns:
            Concepts such as "texture is striped"; an image whose value is unknown has none of them.
        """
        named = [(name, value) for name in self.names for value in self.value_names.get(name, ())]
        present = [
            self.column(name) == self.value_names[name].index(value) for name, value in named
        ]
        return Concepts(
            tuple(f"{name} is {value}" for name, value in named),
            torch.stack(present, dim=1) if present else torch.zeros(len(self), 0).bool(),
        )

    def _position(self, name: str) -> int:
        if name not in self.names:
            raise UnknownName.among("factor", name, self.names)
        return self.names.index(name)

    def _check_positions(self, name: str, kind: FactorKind) -> None:
        levels, column = len(self.value_names.get(name, ())), self.column(name)
        known = column[~column.isnan()]
        fits = levels == 2 if kind == "binary" else levels > 0
        if not fits or not torch.isin(known, torch.arange(levels, dtype=known.dtype)).all():
            raise UserError(
                f"The {kind} factor '{name}' has {levels} named values, and columns must hold "
                f"their positions (0, 1, ...). Give {'two' if kind == 'binary' else 'the'} names "
                "in value_names, and positions in values."
            )
