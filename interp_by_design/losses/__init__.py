"""The terms of FLINT's objective as pure functions, each a mean over the batch. Knows nothing of weights or networks."""

from interp_by_design.losses.conciseness import entropy, magnitude, softmax_codes, sum_codes
from interp_by_design.losses.fidelity import input_fidelity, output_fidelity

__all__ = ["entropy", "input_fidelity", "magnitude", "output_fidelity", "softmax_codes", "sum_codes"]
