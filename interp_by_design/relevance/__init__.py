"""Relevance of attributes to decisions: of one image, and of a class. Pure functions of Φ and the weights of h.

Knows nothing of networks, data sets, pictures or files.
"""

from interp_by_design.relevance.decision import decide_from
from interp_by_design.relevance.global_relevances import GlobalRelevance, global_relevance
from interp_by_design.relevance.local_relevances import (
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
