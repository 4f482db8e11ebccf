"""Relevance of attributes to decisions: pure functions of Φ and the weights of h."""

from interp_by_design.relevance.decision import decide_from
from interp_by_design.relevance.per_class import GlobalRelevance, global_relevance
from interp_by_design.relevance.per_image import (
    contributions,
    explain_locally,
    local_relevance,
    normalised,
    relevant,
    require_classes,
    shown,
)

__all__ = [
    "GlobalRelevance",
    "contributions",
    "decide_from",
    "explain_locally",
    "global_relevance",
    "local_relevance",
    "normalised",
    "relevant",
    "require_classes",
    "shown",
]
