"""One-to-one matching of attributes to the factors that images were made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from torch import Tensor

from interp_by_design.metrics.factor_columns import FactorColumns, factor_columns
from interp_by_design.statistics import correlation_matrix, regression_r_squared
from interp_by_design.terms import Attributes, Factors, UserError

MIN_CORRELATION = 0.8  # |correlation| of an attribute that counts as a factor's value
MIN_MARGIN = 0.3  # by which that exceeds its |correlation| with any other value


@final
@dataclass(frozen=True, eq=False)
class FactorMatching:
    """Each value of a causal factor, and the attribute matched to it.

    Tensors [m] have an entry per value, in the order of `names`.

    Args:
        names: the values, such as "texture is striped".
        attributes: [m], the matched attribute's number; -1 where there are too few attributes.
        correlation: [m], |correlation| of the two in 0..1; 0 without an attribute.
        margin: [m], that less the attribute's largest |correlation| with another value, causal or
            nuisance.
        purity: [m], the R² of the attribute by the value's own factor, as a share of the sum of its
            R² by every factor; 0..1.
        completeness: [m], the R² of the value by the attribute alone, over that by all attributes
            together; 0..1.
        copies: [m], how many other attributes have a |correlation| of at least `MIN_CORRELATION`
            with the value.
        table: [J, columns], |correlation| of every attribute with every column of every factor.
        nuisance: for each nuisance, the largest multiple correlation of an attribute with it.
    """

    names: tuple[str, ...]
    attributes: Int[Tensor, "m"]
    correlation: Float[Tensor, "m"]
    margin: Float[Tensor, "m"]
    purity: Float[Tensor, "m"]
    completeness: Float[Tensor, "m"]
    copies: Int[Tensor, "m"]
    table: Float[Tensor, "attributes values"]
    nuisance: dict[str, float]

    @property
    def found(self) -> Bool[Tensor, "m"]:
        """Whether each value has an attribute of its own.

        That is a |correlation| of at least `MIN_CORRELATION`, and a margin of at least
        `MIN_MARGIN`.
        """
        return (self.correlation >= MIN_CORRELATION) & (self.margin >= MIN_MARGIN)

    @property
    def share_found(self) -> float:
        """The share of the values that are found, 0..1."""
        return float(self.found.double().mean())


def match_factors(attributes: Attributes, factors: Factors) -> FactorMatching:
    """Match attributes to the values of causal factors, with the largest sum of |correlation|.

    The Hungarian method, as for the identifiability of latent factors (Hyvärinen and Morioka,
    2016, arXiv 1605.06336).

    Args:
        attributes: [n, J].
        factors: the factors of the same n images, at least one of them causal.

    Returns:
        The matching.

    Raises:
        UserError: unless there are two images or more, and a row of attributes for each.
    """
    if len(attributes) != len(factors) or len(attributes) < 2:
        raise UserError(
            f"{len(attributes)} rows of attributes came with {len(factors)} images. "
            "Give two or more of each."
        )
    attributes, columns = attributes.double(), factor_columns(factors)
    table = correlation_matrix(attributes, columns.values).abs()
    causal = columns.causal.nonzero()[:, 0]
    rows, places = linear_sum_assignment(table[:, causal].numpy(), maximize=True)
    matched = torch.full((len(causal),), -1)
    matched[torch.as_tensor(places)] = torch.as_tensor(rows)
    scores = [
        _scores(attributes, columns, table, int(j), int(v))
        for j, v in zip(matched, causal, strict=True)
    ]
    correlation, margin, purity, completeness = torch.tensor(scores, dtype=torch.float64).T
    return FactorMatching(
        names=tuple(columns.names[v] for v in causal),
        attributes=matched,
        correlation=correlation,
        margin=margin,
        purity=purity,
        completeness=completeness,
        copies=(table[:, causal] >= MIN_CORRELATION).sum(dim=0)
        - (correlation >= MIN_CORRELATION).long(),
        table=table,
        nuisance={
            factor: float(regression_r_squared(attributes, columns.of(factor)).max()) ** 0.5
            for factor in columns.nuisances
        },
    )


def _scores(
    attributes: Attributes, columns: FactorColumns, table: Tensor, j: int, value: int
) -> tuple[float, float, float, float]:
    """Return correlation, margin, purity and completeness of an attribute for a value."""
    if j < 0:
        return 0.0, 0.0, 0.0, 0.0
    own = float(table[j, value])
    others = [float(table[j, v]) for v in range(len(columns.names)) if v != value]
    shares = {
        factor: float(regression_r_squared(attributes[:, [j]], columns.of(factor)))
        for factor in dict.fromkeys(columns.factors)
    }
    total = sum(shares.values())
    by_all = float(regression_r_squared(columns.values[:, [value]], attributes))
    return (
        own,
        own - max(others, default=0.0),
        shares[columns.factors[value]] / total if total > 0 else 0.0,
        min(1.0, own**2 / by_all) if by_all > 0 else 0.0,
    )
