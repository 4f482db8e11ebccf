"""Lightning modules that train f and g, their objective and its schedule."""

from interp_by_design.learning.by_design import ByDesign
from interp_by_design.learning.learning import Learning
from interp_by_design.learning.objective import Forms, Objective
from interp_by_design.learning.post_hoc import PostHoc, fit_dictionary
from interp_by_design.learning.rate import lowered_rate, one_cycle
from interp_by_design.learning.schedule import Schedule
from interp_by_design.learning.weighting import class_weights

__all__ = [
    "ByDesign",
    "Forms",
    "Learning",
    "Objective",
    "PostHoc",
    "Schedule",
    "class_weights",
    "fit_dictionary",
    "lowered_rate",
    "one_cycle",
]
