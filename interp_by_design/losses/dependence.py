"""Dependence of attributes on f's answer.

Attributes that depend on nothing else are that answer under other names.
"""

from __future__ import annotations

import torch
from torch import Tensor

from interp_by_design.losses.all_reduce import (
    centred_over_processes,
    mean_over_processes,
    mean_square_over_processes,
)
from interp_by_design.terms import Attributes, Logits, Scalar

MIN_LOG = -12.0  # log-probabilities, in nats; all smaller ones count as this
RIDGE = 0.1  # of standardised columns; bounds the weights where a batch has few samples of a class
MIN_DEVIATION = 1e-4  # added to the deviations of f's answer
MIN_VARIANCE = 1e-4  # added to the variances of attributes, so that shares stay small and finite


def independence(attributes: Attributes, predictor: Logits) -> Scalar:
    """Compute L = mean_j R²_j of a ridge regression of φ_j on f's answer over the batch.

    The answer is [log f(x), f(x)] of the softmax, each column standardised; f does not learn from
    this term. The score `logit_predictability` fits an MLP and judges other images; a loss needs a
    closed form. Means are taken over all processes.

    Args:
        attributes: Φ(x), [n, J].
        predictor: The logits of f, [n, C].

    Returns:
        The mean explained share of an attribute's variance, 0..1; 0 is best.

    Source: Original to this project.

    >>> logits = torch.eye(4).repeat(8, 1) * 9
    >>> independence(logits.softmax(dim=1), logits).item() > 0.9
    True
    """
    log_f = predictor.detach().log_softmax(dim=1).clamp(min=MIN_LOG)
    answer = centred_over_processes(torch.cat([log_f, log_f.exp()], dim=1))
    answer = answer / (mean_square_over_processes(answer).sqrt() + MIN_DEVIATION)
    varied = centred_over_processes(attributes)
    together = mean_over_processes(answer.T @ varied / len(answer))
    within = mean_over_processes(answer.T @ answer / len(answer))
    within = within + RIDGE * torch.eye(len(within), dtype=within.dtype, device=within.device)
    weights = torch.linalg.solve(within, together)
    # The prediction's mean square, w^T A w with A w = b - ridge w: no pass over the batch.
    explained = (weights * (together - RIDGE * weights)).sum(dim=0)
    shares: Tensor = explained / (mean_square_over_processes(varied) + MIN_VARIANCE)
    return shares.mean()
