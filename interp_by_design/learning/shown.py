"""g's decision from the attributes that an explanation shows."""

from __future__ import annotations

import torch

from interp_by_design.interpreter import LinearHead
from interp_by_design.relevance import decide_from, normalised, shown
from interp_by_design.terms import Interpretation, Logits

TAU = 5.0  # of the scorecard's sufficiency@5


def shown_decision(head: LinearHead, seen: Interpretation, tau: float = TAU) -> Logits:
    """Compute h(Φ) with every attribute at 0 whose |relevance| to g's class is at most 1/tau.

    The choice of the attributes has no gradient.

    Args:
        head: The head h, whose dropout applies in training mode.
        seen: The interpretation of a batch.
        tau: The threshold is 1/tau; larger than 1.

    Returns:
        The logits, [n, C].
    """
    with torch.no_grad():
        relevance = normalised(seen.attributes * head.weights[seen.interpreter.argmax(dim=1)])
        kept = shown(relevance, tau)
    return decide_from(head.dropout(seen.attributes), head.weights, head.bias, kept)
