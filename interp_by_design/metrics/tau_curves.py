"""Conciseness, sufficiency and left-out evidence of explanations, over thresholds τ."""

from __future__ import annotations

from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp_by_design.metrics.table_batches import samplewise
from interp_by_design.relevance import decide_from, normalised, relevant, shown
from interp_by_design.terms import Attributes, HeadWeights, Indices, InterpretationTable

TAUS = (1.5, 2, 2.5, 3, 4, 5)  # the grid of FLINT's code and figures

AttributeMasks = Bool[Tensor, "n attributes"]


def conciseness(relevance: Attributes, tau: float | int) -> Int[Tensor, "n"]:
    """Compute `CNS_{g,x}(tau) = #{ j : r_{j,x} > 1/tau }`, one-sided.

    Args:
        relevance: r_{j,x} of each sample, [n, J], in -1..1.
        tau: The threshold is 1/tau; larger than 1.

    Returns:
        The number of relevant attributes of each sample, [n], in 0..J.

    Raises:
        UserError: `tau` is 1 or less.

    Source: FLINT, whose code counts `alpha > max alpha / tau` in one place and
    `|alpha| > max |alpha| / tau` in another.

    >>> import torch
    >>> conciseness(torch.tensor([[1.0, 0.6, -0.8, 0.1]]), tau=2).tolist()
    [2]
    """
    return relevant(relevance, tau).sum(dim=1)


def conciseness_abs(relevance: Attributes, tau: float | int) -> Int[Tensor, "n"]:
    """Compute `#{ j : |r_{j,x}| > 1/tau }`.

    Departs from the paper: evidence against the class has to be shown too, and counts.

    Args:
        relevance: r_{j,x} of each sample, [n, J], in -1..1.
        tau: The threshold is 1/tau; larger than 1.

    Returns:
        The number of shown attributes of each sample, [n], in 0..J.

    Raises:
        UserError: `tau` is 1 or less.

    >>> import torch
    >>> conciseness_abs(torch.tensor([[1.0, 0.6, -0.8, 0.1]]), tau=2).tolist()
    [3]
    """
    return shown(relevance, tau).sum(dim=1)


def sufficiency(
    attributes: Attributes,
    kept: AttributeMasks,
    head_weights: HeadWeights,
    head_bias: Float[Tensor, "classes"],
    classes: Indices,
) -> Bool[Tensor, "n"]:
    """Return where `argmax_c ( sum_{j kept} phi_j w_{j,c} + b_c )` is the given class.

    Args:
        attributes: φ of each sample, [n, J].
        kept: Which attributes g decides from, [n, J].
        head_weights: The head's weights, [C, J].
        head_bias: The head's bias, [C].
        classes: The class that each sample should be decided as, [n].

    Returns:
        Whether the kept attributes alone decide that class, [n].

    >>> import torch
    >>> phi, kept = torch.tensor([[1.0, 2.0]]), torch.tensor([[True, False]])
    >>> sufficiency(phi, kept, torch.eye(2), torch.zeros(2), torch.tensor([0])).tolist()
    [True]
    """
    return decide_from(attributes, head_weights, head_bias, kept).argmax(dim=1) == classes


def left_out(contributions: Attributes, kept: AttributeMasks) -> Float[Tensor, "n"]:
    """Compute `sum_{j not kept} |alpha_j| / sum_j |alpha_j|`.

    Args:
        contributions: α of each sample, [n, J].
        kept: Which attributes are shown, [n, J].

    Returns:
        The share that is not shown, for each sample, [n], in 0..1; NaN for a sample to which
        nothing contributes.

    >>> import torch
    >>> left_out(torch.tensor([[3.0, -1.0]]), torch.tensor([[True, False]])).tolist()
    [0.25]
    """
    size = contributions.abs()
    return (size * ~kept).sum(dim=1) / size.sum(dim=1)


def score_key(name: str, tau: float | int) -> str:
    """Return the scorecard's key of a property at tau.

    Args:
        name: The name of the property.
        tau: The threshold.

    Returns:
        The key, such as `conciseness@2`.

    >>> score_key("conciseness", 2.0), score_key("left_out", 2.5)
    ('conciseness@2', 'left_out@2.5')
    """
    return f"{name}@{tau:g}"


def conciseness_scores(table: InterpretationTable) -> dict[str, float]:
    """Compute conciseness, conciseness_abs, sufficiency and left_out at each of `TAUS`.

    Args:
        table: The interpretation table of a split.

    Returns:
        The scores, by key. left_out is the mean over the samples to which some attribute
        contributes, and is absent where there is none: the others have nothing to leave out, and
        count in unexplained_share. The rest is over all samples.
    """
    found = samplewise(table, _columns)
    scores = {name: column.double().nanmean() for name, column in found.items()}
    return {name: float(mean) for name, mean in scores.items() if not mean.isnan()}


def _columns(table: InterpretationTable) -> dict[str, Tensor]:
    alpha = table.contributions
    relevance, decided = normalised(alpha), table.predictor.argmax(dim=1)
    columns: dict[str, Tensor] = {}
    for tau in TAUS:
        kept = shown(relevance, tau)
        columns[score_key("conciseness", tau)] = conciseness(relevance, tau)
        columns[score_key("conciseness_abs", tau)] = conciseness_abs(relevance, tau)
        columns[score_key("sufficiency", tau)] = sufficiency(
            table.attributes, kept, table.head_weights, table.head_bias, decided
        )
        columns[score_key("left_out", tau)] = left_out(alpha, kept)
    return columns
