"""Whether attributes are the factors that images were made from: one-to-one matching of attributes to planted values.

Knows nothing of how the factors were drawn, or of images; no factor ever enters a training from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from torch import Tensor

from interp_by_design.terms import Attributes, UserError

LEAST_CORRELATION, LEAST_MARGIN = 0.8, 0.3  # of an attribute that counts as the planted value
LEAST_DEVIATION = 1e-6  # relative to the largest value: below it a column is constant

Columns = Float[Tensor, "n values"]


@final
@dataclass(frozen=True, eq=False)
class Planted:
    """The planted values of n images: a column a value, such as "texture is striped"; a factor is one or more of them.

    names: of the columns. factors: for each column, the factor that it tells of; the columns of a factor that goes round, as hue
    does, are its sine and cosine. causes: the factors that the label depends on; the others are nuisance.
    """

    names: tuple[str, ...]
    factors: tuple[str, ...]
    values: Columns
    causes: tuple[str, ...]

    def __post_init__(self) -> None:
        width = self.values.shape[1]
        if not len(self.names) == len(self.factors) == width:
            raise UserError(
                f"{width} columns came with {len(self.names)} names and {len(self.factors)} factors. Give one each."
            )
        if missing := [cause for cause in self.causes if cause not in self.factors]:
            raise UserError(
                f"No column tells of the cause {missing[0]}. Factors: {', '.join(dict.fromkeys(self.factors))}."
            )

    @property
    def causal(self) -> Bool[Tensor, "values"]:
        """Which columns are of causes."""
        return torch.tensor([factor in self.causes for factor in self.factors])

    def of(self, factor: str) -> Columns:
        """The columns of one factor."""
        return self.values[:, [i for i, name in enumerate(self.factors) if name == factor]]


@final
@dataclass(frozen=True, eq=False)
class Matching:
    """Each causal value beside the attribute that was matched to it; tensors [m] have an entry a value, in order of `names`.

    attributes: the matched attribute's number, -1 where there were too few. correlation: |correlation| of the two, 0 without one.
    margin: that less the attribute's largest |correlation| with another value, of a cause or a nuisance.
    purity: of what factors tell of the attribute (R² by linear regression on a factor's columns), the part that the value's own
        factor tells. completeness: the R² of the attribute alone over that of all attributes together, for the value.
    copies: other attributes with a |correlation| of 0.8 or more with the value.
    table: |correlation| of every attribute with every value, [J, values]. nuisance: for each factor that is no cause, the largest
        multiple correlation that an attribute has with it.
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
        """Whether a value has an attribute of its own: |correlation| >= 0.8, and 0.3 more than with any other."""
        return (self.correlation >= LEAST_CORRELATION) & (self.margin >= LEAST_MARGIN)

    @property
    def share_found(self) -> float:
        """Of the causal values."""
        return float(self.found.double().mean())


def match(attributes: Attributes, planted: Planted) -> Matching:
    """The one-to-one matching of attributes to causal values with the largest sum of |correlation|.

    Hungarian method, as for the identifiability of latent factors (Hyvärinen and Morioka, 2016, arXiv 1605.06336). Raises
    `UserError` unless there are two images or more, and a row of attributes for each.
    """
    if len(attributes) != len(planted.values) or len(attributes) < 2:
        raise UserError(
            f"{len(attributes)} rows of attributes came with {len(planted.values)} images. Give two or more of each."
        )
    table = correlations(attributes, planted.values).abs()
    causal = planted.causal.nonzero()[:, 0]
    rows, columns = linear_sum_assignment(table[:, causal].numpy(), maximize=True)
    chosen = torch.full((len(causal),), -1)
    chosen[torch.as_tensor(columns)] = torch.as_tensor(rows)
    scores = [
        _scores(attributes, planted, table, int(j), int(v))
        for j, v in zip(chosen, causal, strict=True)
    ]
    correlation, margin, purity, completeness = torch.tensor(scores, dtype=torch.float64).T
    return Matching(
        names=tuple(planted.names[v] for v in causal),
        attributes=chosen,
        correlation=correlation,
        margin=margin,
        purity=purity,
        completeness=completeness,
        copies=(table[:, causal] >= LEAST_CORRELATION).sum(dim=0)
        - (correlation >= LEAST_CORRELATION).long(),
        table=table,
        nuisance=_nuisance(attributes, planted),
    )


def correlations(one: Float[Tensor, "n a"], other: Float[Tensor, "n b"]) -> Float[Tensor, "a b"]:
    """Pearson's, of every column of `one` with every column of `other`; 0 where a column does not vary."""
    return _standardised(one).T @ _standardised(other) / len(one)


def explained(columns: Float[Tensor, "n a"], by: Float[Tensor, "n b"]) -> Float[Tensor, "a"]:
    """R² of each column by linear regression on `by` and a constant, 0..1; 0 for a column that does not vary."""
    targets, given = _standardised(columns), _standardised(by)
    left, sizes, _ = torch.linalg.svd(given, full_matrices=False)
    basis = left[:, sizes > 1e-8 * max(1.0, float(sizes.max()))]
    share: Tensor = (basis.T @ targets).square().sum(dim=0) / len(columns)
    return share.clamp(0, 1)


def _scores(
    attributes: Attributes, planted: Planted, table: Tensor, j: int, value: int
) -> tuple[float, float, float, float]:
    """Correlation, margin, purity and completeness of an attribute for a value; zeros without one."""
    if j < 0:
        return 0.0, 0.0, 0.0, 0.0
    own = float(table[j, value])
    others = [float(table[j, v]) for v in range(len(planted.names)) if v != value]
    told = {
        factor: float(explained(attributes[:, [j]], planted.of(factor)))
        for factor in dict.fromkeys(planted.factors)
    }
    whole = float(explained(planted.values[:, [value]], attributes))
    purity = told[planted.factors[value]] / total if (total := sum(told.values())) > 0 else 0.0
    return (
        own,
        own - max(others, default=0.0),
        purity,
        min(1.0, own**2 / whole) if whole > 0 else 0.0,
    )


def _nuisance(attributes: Attributes, planted: Planted) -> dict[str, float]:
    factors: Sequence[str] = [
        factor for factor in dict.fromkeys(planted.factors) if factor not in planted.causes
    ]
    return {
        factor: float(explained(attributes, planted.of(factor)).max()) ** 0.5 for factor in factors
    }


def _standardised(columns: Float[Tensor, "n a"]) -> Float[Tensor, "n a"]:
    """Mean 0 and mean square 1, in double precision; zeros where a column does not vary."""
    centred = columns.double() - columns.double().mean(dim=0)
    deviation = centred.square().mean(dim=0).sqrt()
    varies = deviation > LEAST_DEVIATION * columns.double().abs().amax(dim=0)
    return centred * varies / deviation.where(varies, 1)
