"""Usage: which attributes a split uses, how evenly, and whether one is just the name of a class.

Does not know whether g's decisions are right.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.metrics.table_batches import totals
from interp_by_design.terms import Attributes, InterpretationTable

ACTIVE_SHARE = 0.01  # of the mean positive φ: above it an attribute is active
DEAD_BELOW = 0.001  # share of samples
ALWAYS_ABOVE = 0.99
EXCLUSIVE_ABOVE = 0.9  # share of an attribute's mass in one class

PerAttribute = Float[Tensor, "attributes"]
Choice = Bool[Tensor, "attributes"]
Mass = Float[Tensor, "classes attributes"]


def activity_threshold(table: InterpretationTable) -> float:
    """`eps = 0.01 mean{ phi_j(x) : phi_j(x) > 0 }` over all samples and attributes of the split; 0 where no φ is positive."""
    found = totals(
        table,
        lambda part: {
            "sum": part.attributes.clamp(min=0).sum(),
            "count": (part.attributes > 0).sum(),
        },
    )
    return ACTIVE_SHARE * float(found["sum"]) / max(1, int(found["count"]))


def active(attributes: Attributes, threshold: float) -> Bool[Tensor, "n attributes"]:
    """`phi_j(x) > eps`."""
    return attributes > threshold


def dead(active_share: PerAttribute) -> Choice:
    """Attributes active on less than 0.1 % of the samples; in a split of fewer than 1,000, those that are never active."""
    return active_share < DEAD_BELOW


def always_on(active_share: PerAttribute) -> Choice:
    """Attributes active on more than 99 % of the samples."""
    return active_share > ALWAYS_ABOVE


def effective_attributes(contribution: PerAttribute) -> Float[Tensor, ""]:
    """`exp( - sum_j p_j log p_j )` with `p_j = s_j / sum_i s_i`, `s_j = sum_x |alpha_j(x)|`; 1..J, NaN where every s is 0."""
    entropy: Tensor = torch.special.entr(contribution / contribution.sum()).sum()
    return entropy.exp()


def exclusive(mass: Mass) -> Choice:
    """`max_c m_{c,j} / sum_c m_{c,j} > 0.9`, where m_{c,j} is the sum of φ_j over the samples that f decides as c.

    f's decision, not the label: the question is whether the attribute is f's answer under another name.
    """
    return mass.amax(dim=0) > EXCLUSIVE_ABOVE * mass.sum(dim=0)


def active_share(table: InterpretationTable) -> PerAttribute:
    """Share of the samples on which each attribute is active, [J] in 0..1."""
    return _share(_usage(table)["active"], table)


def usage_scores(table: InterpretationTable) -> dict[str, float]:
    """unexplained_share, dead_attributes, always_on_attributes, effective_attributes and exclusive_attributes, by key.

    `effective_attributes` is absent where nothing contributes to any decision. Only live attributes can be exclusive.
    """
    usage = _usage(table)
    share = _share(usage["active"], table)
    scores = {
        "unexplained_share": float(usage["unexplained"]) / len(table),
        "dead_attributes": float(dead(share).sum()),
        "always_on_attributes": float(always_on(share).sum()),
    }
    if float(usage["contribution"].sum()) > 0:
        scores["effective_attributes"] = float(effective_attributes(usage["contribution"]))
    scores["exclusive_attributes"] = float((exclusive(usage["mass"]) & ~dead(share)).sum())
    return scores


def _share(count: PerAttribute, table: InterpretationTable) -> PerAttribute:
    return count / len(table)


def _usage(table: InterpretationTable) -> dict[str, Tensor]:
    threshold = activity_threshold(table)

    def columns(part: InterpretationTable) -> dict[str, Tensor]:
        on = active(part.attributes, threshold)
        return {
            "active": on.sum(dim=0).double(),
            "unexplained": (~on.any(dim=1)).sum(),
            "contribution": part.contributions.abs().sum(dim=0),
            "mass": torch.zeros_like(part.head_weights).index_add_(
                0, part.predictor.argmax(dim=1), part.attributes
            ),
        }

    return totals(table, columns)
