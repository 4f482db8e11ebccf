"""What g would decide from the attributes that an explanation shows, and from no others."""

from __future__ import annotations

import torch

from interp_by_design.interpreter import LinearHead
from interp_by_design.relevance import decide_from, normalised, shown
from interp_by_design.terms import Interpretation, Logits

TAU = 5.0  # that of the scorecard's `sufficiency@5`


def shown_decision(head: LinearHead, seen: Interpretation, tau: float = TAU) -> Logits:
    """h(Φ) with every attribute at 0 whose |relevance| to g's class is at most 1/tau, [n, C]; which these are has no gradient."""
    with torch.no_grad():
        relevance = normalised(seen.attributes * head.weights[seen.interpreter.argmax(dim=1)])
        kept = shown(relevance, tau)
    return decide_from(head.dropout(seen.attributes), head.weights, head.bias, kept)
