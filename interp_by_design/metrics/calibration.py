"""Expected calibration error of f and of g."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.metrics.table_batches import totals
from interp_by_design.terms import InterpretationTable, Labels, Logits

BINS = 15

PerBin = Float[Tensor, "bins"]


def calibration_error(logits: Logits, labels: Labels, bins: int = BINS) -> float:
    """Compute `ECE = sum_b |B_b| / n · | accuracy(B_b) - confidence(B_b) |`.

    B_b are the samples whose largest probability of the softmax is in ((b - 1) / bins, b / bins],
    accuracy the share of them that are decided as labelled, confidence the mean of these
    probabilities.

    Args:
        logits: The logits, [n, C].
        labels: The labels, [n].
        bins: How many bins of equal width.

    Returns:
        The expected calibration error, in 0..1.

    Source: Guo et al., On Calibration of Modern Neural Networks (ICML 2017), equations 2 and 3,
    with 15 bins as in section 5.

    >>> calibration_error(torch.tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 0]))
    0.5
    """
    return float(_error(*_bins(logits.double(), labels, bins)))


def calibration_scores(table: InterpretationTable) -> dict[str, float]:
    """Compute the calibration errors as scores.

    Args:
        table: The interpretation table of a split.

    Returns:
        calibration_error, of g, and predictor_calibration_error, of f, by key.
    """

    def columns(part: InterpretationTable) -> dict[str, Tensor]:
        g, f = (
            torch.stack(_bins(logits, part.labels, BINS))
            for logits in (part.interpreter, part.predictor)
        )
        return {"calibration_error": g, "predictor_calibration_error": f}

    return {key: float(_error(*summed.unbind())) for key, summed in totals(table, columns).items()}


def _bins(logits: Logits, labels: Labels, bins: int) -> tuple[PerBin, PerBin, PerBin]:
    """Count the samples and the right ones of each bin, and sum their confidences."""
    confidence, decided = logits.softmax(dim=1).max(dim=1)
    edges = torch.arange(1, bins, dtype=confidence.dtype, device=confidence.device) / bins
    bin_of_sample = torch.bucketize(confidence, edges)
    right = (decided == labels.to(decided.device)).to(confidence)
    count, n_right, total_confidence = (
        torch.bincount(bin_of_sample, weights, bins)
        for weights in (torch.ones_like(confidence), right, confidence)
    )
    return count, n_right, total_confidence


def _error(count: PerBin, right: PerBin, confidence: PerBin) -> Tensor:
    # |B| · | right / |B| - confidence / |B| | is the difference of the sums; an empty bin adds 0.
    return (right - confidence).abs().sum() / count.sum()
