"""Numbers that judge a pair of predictor and interpreter: the scorecard of a table, and running scores while it trains.

One file a property: pure functions of samples, and the scores made of them. Knows nothing of networks, training or files.
"""

from interp_by_design.metrics.agreement import fidelity_by_class, probability_error
from interp_by_design.metrics.attribute_overlap import overlap
from interp_by_design.metrics.calibration import calibration_error
from interp_by_design.metrics.gates import GATES, Gate, failed_gates
from interp_by_design.metrics.linear_probe import linear_ceiling
from interp_by_design.metrics.reconstruction import squared_error
from interp_by_design.metrics.running import RunningScores
from interp_by_design.metrics.scores import SCORES, Score, scorecard
from interp_by_design.metrics.usage import active_share, activity_threshold

__all__ = [
    "GATES",
    "SCORES",
    "Gate",
    "RunningScores",
    "Score",
    "active_share",
    "activity_threshold",
    "calibration_error",
    "failed_gates",
    "fidelity_by_class",
    "linear_ceiling",
    "overlap",
    "probability_error",
    "scorecard",
    "squared_error",
]
