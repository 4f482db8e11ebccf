"""Terms of FLINT's objective as pure functions, each a mean over the batch."""

from interp_by_design.losses.anchors import anchoring
from interp_by_design.losses.classification import prediction
from interp_by_design.losses.code_entropy import conciseness, magnitude
from interp_by_design.losses.dependence import independence
from interp_by_design.losses.fidelity import input_fidelity, output_fidelity

__all__ = [
    "anchoring",
    "conciseness",
    "independence",
    "input_fidelity",
    "magnitude",
    "output_fidelity",
    "prediction",
]
