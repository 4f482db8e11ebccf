"""Conciseness: how many attributes an explanation needs, whether these are enough, and what they leave out.

Does not know whether f was right.
"""

from __future__ import annotations

from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp_by_design.metrics.table_batches import samplewise
from interp_by_design.relevance import decide_from, normalised, relevant, shown
from interp_by_design.terms import Attributes, HeadWeights, Indices, InterpretationTable

TAUS = (1.5, 2, 2.5, 3, 4, 5)  # the grid of FLINT's code and figures

Chosen = Bool[Tensor, "n attributes"]


def conciseness(relevance: Attributes, tau: float | int) -> Int[Tensor, "n"]:
    """`CNS_{g,x}(tau) = #{ j : r_{j,x} > 1/tau }`, 0..J, one-sided. UserError unless tau > 1.

    Source: FLINT, whose code counts `alpha > max alpha / tau` in one place and `|alpha| > max |alpha| / tau` in another.
    """
    return relevant(relevance, tau).sum(dim=1)


def conciseness_abs(relevance: Attributes, tau: float | int) -> Int[Tensor, "n"]:
    """`#{ j : |r_{j,x}| > 1/tau }`, 0..J. UserError unless tau > 1.

    Departs from the paper: evidence against the class has to be shown too, and counts.
    """
    return shown(relevance, tau).sum(dim=1)


def sufficient(
    attributes: Attributes,
    chosen: Chosen,
    head_weights: HeadWeights,
    head_bias: Float[Tensor, "classes"],
    classes: Indices,
) -> Bool[Tensor, "n"]:
    """`argmax_c ( sum_{j chosen} phi_j w_{j,c} + b_c ) = classes`: the chosen attributes alone still decide the given class."""
    return decide_from(attributes, head_weights, head_bias, chosen).argmax(dim=1) == classes


def left_out(contributions: Attributes, chosen: Chosen) -> Float[Tensor, "n"]:
    """`sum_{j not chosen} |alpha_j| / sum_j |alpha_j|`, in 0..1; NaN for a sample to which nothing contributes."""
    size = contributions.abs()
    return (size * ~chosen).sum(dim=1) / size.sum(dim=1)


def key(name: str, tau: float | int) -> str:
    """The scorecard's key of a property at tau.

    >>> key("conciseness", 2.0), key("left_out", 2.5)
    ('conciseness@2', 'left_out@2.5')
    """
    return f"{name}@{tau:g}"


def conciseness_scores(table: InterpretationTable) -> dict[str, float]:
    """conciseness, conciseness_abs, sufficiency and left_out at each of TAUS, by key.

    `left_out` is the mean over the samples to which some attribute contributes, and absent where there is none: the others have
    nothing to leave out, and `unexplained_share` speaks of them. All else is over all samples.
    """
    seen = samplewise(table, _columns)
    scores = {name: column.double().nanmean() for name, column in seen.items()}
    return {name: float(mean) for name, mean in scores.items() if not mean.isnan()}


def _columns(table: InterpretationTable) -> dict[str, Tensor]:
    alpha = table.contributions
    relevance, decided = normalised(alpha), table.predictor.argmax(dim=1)
    columns: dict[str, Tensor] = {}
    for tau in TAUS:
        chosen = shown(relevance, tau)
        columns[key("conciseness", tau)] = conciseness(relevance, tau)
        columns[key("conciseness_abs", tau)] = conciseness_abs(relevance, tau)
        columns[key("sufficiency", tau)] = sufficient(
            table.attributes, chosen, table.head_weights, table.head_bias, decided
        )
        columns[key("left_out", tau)] = left_out(alpha, chosen)
    return columns
