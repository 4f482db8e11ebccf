"""Lightning modules, and the schedule of their losses. The only place that trains; knows nothing of files or figures."""

from interp_by_design.learning.by_design import ByDesign
from interp_by_design.learning.objective import Forms, Objective
from interp_by_design.learning.schedule import Schedule, lowered_rate

__all__ = ["ByDesign", "Forms", "Objective", "Schedule", "lowered_rate"]
