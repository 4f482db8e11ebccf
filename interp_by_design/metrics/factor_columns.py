"""Factors as columns of numbers that attributes can be correlated with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from interp_by_design.terms import Factors

Column = Float64[Tensor, "n"]


@final
@dataclass(frozen=True, eq=False)
class FactorColumns:
    """Columns that stand for the factors of n images, one or more for each factor.

    Args:
        names: of the columns, such as "texture is striped".
        factors: of each column, the factor that it stands for.
        values: [n, columns], without NaN.
        causal: [columns], whether the label depends on the column's factor.
    """

    names: tuple[str, ...]
    factors: tuple[str, ...]
    values: Float[Tensor, "n columns"]
    causal: Bool[Tensor, "columns"]

    @property
    def nuisances(self) -> tuple[str, ...]:
        """The factors that the label does not depend on."""
        flags = zip(self.factors, self.causal.tolist(), strict=True)
        return tuple(dict.fromkeys(factor for factor, causal in flags if not causal))

    def of(self, factor: str) -> Float[Tensor, "n some"]:
        """Return the columns of one factor.

        Args:
            factor: the factor's name.

        Returns:
            The values [n, columns of the factor].
        """
        return self.values[:, [i for i, name in enumerate(self.factors) if name == factor]]


def factor_columns(factors: Factors) -> FactorColumns:
    """Code factors as columns of numbers.

    A discrete factor becomes a column of 0 and 1 for each value, a binary one a single column,
    an angle its sine and cosine; a continuous factor stays as it is. An unknown value is neutral:
    0 for discrete factors and angles, 0.5 for binary ones, the mean of the known values for
    continuous ones.

    Args:
        factors: the factors of n images.

    Returns:
        The columns, in the order of the factors.

    >>> values = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    >>> names = {"texture": ("plain", "striped", "checked")}
    >>> columns = factor_columns(Factors(("texture",), values, ("discrete",), (True,), names))
    >>> columns.names[1], columns.values.tolist()
    ('texture is striped', [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    """
    coded = [(name, column) for name in factors.names for column in _coded(factors, name)]
    owners = tuple(owner for owner, _ in coded)
    causal = dict(zip(factors.names, factors.causal, strict=True))
    return FactorColumns(
        tuple(name for _, (name, _) in coded),
        owners,
        torch.stack([values for _, (_, values) in coded], dim=1),
        torch.tensor([causal[owner] for owner in owners]),
    )


def _coded(factors: Factors, name: str) -> list[tuple[str, Column]]:
    column, kind = factors.column(name), factors.kind(name)
    if kind == "discrete":
        values = enumerate(factors.value_names[name])
        return [(f"{name} is {value}", (column == i).double()) for i, value in values]
    if kind == "binary":
        return [(f"{name} is {factors.value_names[name][1]}", column.nan_to_num(0.5))]
    if kind == "angle":
        waves = {"sine": column.sin(), "cosine": column.cos()}
        return [(f"{wave} of {name}", values.nan_to_num(0.0)) for wave, values in waves.items()]
    return [(name, torch.where(column.isnan(), column.nanmean(), column))]
