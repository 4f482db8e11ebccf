"""Shared types: array aliases, frozen records, checks, and user errors."""

from interp_by_design.terms.arrays import (
    SPLITS,
    Attributes,
    HeadWeights,
    Images,
    Indices,
    Labels,
    Logits,
    Scalar,
)
from interp_by_design.terms.errors import UnknownName, UserError, check_weight, check_whole
from interp_by_design.terms.explanation import (
    NAMELESS,
    TAU,
    AttributeNames,
    Decisions,
    Explanation,
    Players,
    Sample,
    above_threshold,
    check_tau,
    relative_to_largest,
)
from interp_by_design.terms.factors import FACTOR_KINDS, Concepts, FactorKind, Factors
from interp_by_design.terms.images import Batch, DataFacts, Normalisation
from interp_by_design.terms.tables import (
    BatchWithActivations,
    ForwardPass,
    Interpretation,
    InterpretationTable,
)

__all__ = [
    "FACTOR_KINDS",
    "NAMELESS",
    "SPLITS",
    "TAU",
    "AttributeNames",
    "Attributes",
    "Batch",
    "BatchWithActivations",
    "Concepts",
    "DataFacts",
    "Decisions",
    "Explanation",
    "FactorKind",
    "Factors",
    "ForwardPass",
    "HeadWeights",
    "Images",
    "Indices",
    "Interpretation",
    "InterpretationTable",
    "Labels",
    "Logits",
    "Normalisation",
    "Players",
    "Sample",
    "Scalar",
    "UnknownName",
    "UserError",
    "above_threshold",
    "check_tau",
    "check_weight",
    "check_whole",
    "relative_to_largest",
]
