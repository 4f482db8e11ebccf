"""The terms of FLINT's objective as pure functions, each a mean over the batch. Knows nothing of weights or networks."""

from interp_by_design.losses.anchoring import anchoring
from interp_by_design.losses.conciseness import conciseness, magnitude
from interp_by_design.losses.fidelity import input_fidelity, output_fidelity
from interp_by_design.losses.independence import independence
from interp_by_design.losses.prediction import prediction

__all__ = ["anchoring", "conciseness", "independence", "input_fidelity", "magnitude", "output_fidelity", "prediction"]
