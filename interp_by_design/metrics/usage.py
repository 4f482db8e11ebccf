"""Attribute usage: how often each attribute is active, how evenly, and for how many classes."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.metrics.table_batches import row_slices, totals
from interp_by_design.terms import Attributes, InterpretationTable

ACTIVE_SHARE = 0.01  # of the mean positive φ: above it an attribute is active
DEAD_SHARE = 0.001  # of the samples
ALWAYS_ON_SHARE = 0.99  # of the samples
EXCLUSIVE_SHARE = 0.9  # of an attribute's mass

PerAttribute = Float[Tensor, "attributes"]
AttributeMask = Bool[Tensor, "attributes"]
ClassMass = Float[Tensor, "classes attributes"]


def activity_threshold(attributes: Attributes) -> float:
    """Compute `eps = 0.01 mean{ phi_j(x) : phi_j(x) > 0 }`, over all samples and attributes.

    Args:
        attributes: φ of each sample of a split, [n, J].

    Returns:
        The value above which an attribute counts as active; 0 where no φ is positive.

    >>> activity_threshold(torch.tensor([[0.0, 1.0], [3.0, 0.0]]))
    0.02
    """
    total, count = 0.0, 0
    for rows in row_slices(len(attributes)):
        values = attributes[rows].detach().to("cpu", torch.float64)
        total += float(values.clamp(min=0).sum())
        count += int((values > 0).sum())
    return ACTIVE_SHARE * total / max(1, count)


def active(attributes: Attributes, threshold: float) -> Bool[Tensor, "n attributes"]:
    """Return where `phi_j(x) > eps`.

    Args:
        attributes: φ of each sample, [n, J].
        threshold: ε, as `activity_threshold` computes it.

    Returns:
        Which attributes are active on which samples, [n, J].
    """
    return attributes > threshold


def unexplained(on: Bool[Tensor, "n attributes"]) -> Bool[Tensor, "n"]:
    """Return which samples have no active attribute; their share is `unexplained_share`.

    Args:
        on: Which attributes are active on which samples, [n, J], as `active` returns it.

    Returns:
        Whether each sample has no active attribute, [n].

    >>> unexplained(torch.tensor([[True, False], [False, False]])).tolist()
    [False, True]
    """
    return ~on.any(dim=1)


def dead_attributes(active_share: PerAttribute) -> AttributeMask:
    """Return which attributes are active on less than 0.1 % of the samples.

    Args:
        active_share: The share of the samples on which each attribute is active, [J], in 0..1.

    Returns:
        The mask of the dead attributes, [J]. In a split of fewer than 1,000 samples, these are the
        attributes that are never active.

    >>> dead_attributes(torch.tensor([0.0, 0.5, 1.0])).tolist()
    [True, False, False]
    """
    return active_share < DEAD_SHARE


def always_on_attributes(active_share: PerAttribute) -> AttributeMask:
    """Return which attributes are active on more than 99 % of the samples.

    Args:
        active_share: The share of the samples on which each attribute is active, [J], in 0..1.

    Returns:
        The mask of the attributes that are always on, [J].

    >>> always_on_attributes(torch.tensor([0.0, 0.5, 1.0])).tolist()
    [False, False, True]
    """
    return active_share > ALWAYS_ON_SHARE


def effective_attributes(contribution: PerAttribute) -> Float[Tensor, ""]:
    """Compute `exp( - sum_j p_j log p_j )` with `p_j = s_j / sum_i s_i`.

    Args:
        contribution: `s_j = sum_x |alpha_j(x)|`, what attribute j contributes to all decisions,
            [J].

    Returns:
        The number of attributes that would contribute as much if all did alike, in 1..J; NaN where
        nothing contributes.

    >>> effective_attributes(torch.tensor([3.0, 3.0, 0.0]))
    tensor(2.)
    """
    entropy: Tensor = torch.special.entr(contribution / contribution.sum()).sum()
    return entropy.exp()


def exclusive_attributes(mass: ClassMass) -> AttributeMask:
    """Return which attributes have `max_c m_{c,j} / sum_c m_{c,j} > 0.9`.

    The classes are f's decisions, not the labels: the question is whether the attribute is f's
    answer under another name.

    Args:
        mass: `m_{c,j}`, the sum of φ_j over the samples that f decides as class c, [C, J].

    Returns:
        The mask of the attributes that belong to one class, [J].

    >>> exclusive_attributes(torch.tensor([[9.5, 1.0], [0.5, 1.0]])).tolist()
    [True, False]
    """
    return mass.amax(dim=0) > EXCLUSIVE_SHARE * mass.sum(dim=0)


def active_share(table: InterpretationTable) -> PerAttribute:
    """Compute the share of the samples on which each attribute is active.

    Args:
        table: The interpretation table of a split.

    Returns:
        The shares, [J], in 0..1.
    """
    return _share(_usage(table)["active"], table)


def live_attributes(table: InterpretationTable) -> AttributeMask:
    """Return which attributes are live: not dead, and not the same on all samples.

    Args:
        table: The interpretation table of a split.

    Returns:
        The mask of the live attributes, [J], on the CPU.
    """
    varies = table.attributes.amax(dim=0) > table.attributes.amin(dim=0)
    return varies.cpu() & ~dead_attributes(active_share(table))


def usage_scores(table: InterpretationTable) -> dict[str, float]:
    """Compute the scores of attribute usage.

    Args:
        table: The interpretation table of a split.

    Returns:
        unexplained_share, dead_attributes, always_on_attributes, effective_attributes and
        exclusive_attributes, by key. effective_attributes is absent where nothing contributes to
        any decision. A dead attribute is not exclusive.
    """
    usage = _usage(table)
    share = _share(usage["active"], table)
    dead = dead_attributes(share)
    scores = {
        "unexplained_share": float(usage["unexplained"]) / len(table),
        "dead_attributes": float(dead.sum()),
        "always_on_attributes": float(always_on_attributes(share).sum()),
    }
    if float(usage["contribution"].sum()) > 0:
        scores["effective_attributes"] = float(effective_attributes(usage["contribution"]))
    scores["exclusive_attributes"] = float((exclusive_attributes(usage["mass"]) & ~dead).sum())
    return scores


def _share(count: PerAttribute, table: InterpretationTable) -> PerAttribute:
    return count / len(table)


def _usage(table: InterpretationTable) -> dict[str, Tensor]:
    threshold = activity_threshold(table.attributes)

    def columns(part: InterpretationTable) -> dict[str, Tensor]:
        on = active(part.attributes, threshold)
        return {
            "active": on.sum(dim=0).double(),
            "unexplained": unexplained(on).sum(),
            "contribution": part.contributions.abs().sum(dim=0),
            "mass": torch.zeros_like(part.head_weights).index_add_(
                0, part.predictor.argmax(dim=1), part.attributes
            ),
        }

    return totals(table, columns)
