"""The scorecard: its scores, its gates, and running scores during training."""

from interp_by_design.metrics.agreement import (
    accuracy,
    agrees,
    fidelity,
    fidelity_by_class,
    fidelity_hard,
    fidelity_on_errors,
    fidelity_present_classes,
    fidelity_worst_class,
    in_top,
    is_right,
    kl,
    margin,
    probability_error,
)
from interp_by_design.metrics.attribute_overlap import overlap
from interp_by_design.metrics.calibration import calibration_error
from interp_by_design.metrics.factor_matching import FactorMatching, match_factors
from interp_by_design.metrics.gates import GATES, Direction, Gate, failed_gates
from interp_by_design.metrics.linear_probe import (
    LinearProbe,
    fit_probe,
    fit_probes,
    linear_ceiling,
)
from interp_by_design.metrics.predictability import logit_predictability
from interp_by_design.metrics.reconstruction import squared_error, within_class_explained
from interp_by_design.metrics.running import RunningScores
from interp_by_design.metrics.scores import SCORES, Score, scorecard
from interp_by_design.metrics.seed_stability import SEED_SCORES, stability_seeds
from interp_by_design.metrics.table_batches import row_batches, row_slices
from interp_by_design.metrics.tau_curves import (
    TAUS,
    conciseness,
    conciseness_abs,
    left_out,
    score_key,
    sufficiency,
)
from interp_by_design.metrics.usage import (
    active,
    active_share,
    activity_threshold,
    always_on_attributes,
    dead_attributes,
    effective_attributes,
    exclusive_attributes,
    live_attributes,
    unexplained,
)

__all__ = [
    "GATES",
    "SCORES",
    "SEED_SCORES",
    "TAUS",
    "Direction",
    "FactorMatching",
    "Gate",
    "LinearProbe",
    "RunningScores",
    "Score",
    "accuracy",
    "active",
    "active_share",
    "activity_threshold",
    "agrees",
    "always_on_attributes",
    "calibration_error",
    "conciseness",
    "conciseness_abs",
    "dead_attributes",
    "effective_attributes",
    "exclusive_attributes",
    "failed_gates",
    "fidelity",
    "fidelity_by_class",
    "fidelity_hard",
    "fidelity_on_errors",
    "fidelity_present_classes",
    "fidelity_worst_class",
    "fit_probe",
    "fit_probes",
    "in_top",
    "is_right",
    "kl",
    "left_out",
    "linear_ceiling",
    "live_attributes",
    "logit_predictability",
    "margin",
    "match_factors",
    "overlap",
    "probability_error",
    "row_batches",
    "row_slices",
    "score_key",
    "scorecard",
    "squared_error",
    "stability_seeds",
    "sufficiency",
    "unexplained",
    "within_class_explained",
]
