"""Independence of the attributes from f's answer: what makes them more than that answer under other names."""

from __future__ import annotations

import torch
from torch import Tensor

from interp_by_design.losses.all_reduce import mean_over_processes
from interp_by_design.terms import Attributes, Logits, Scalar

LEAST_LOG = -12.0  # log-probabilities below it are all the same: never
RIDGE = 0.1  # keeps the regression sound where a batch hardly shows a class
LEAST_VARIANCE = (
    1e-4  # of an attribute that hardly varies, so that its share stays small and finite
)


def independence(attributes: Attributes, predictor: Logits) -> Scalar:
    """L = mean_j R²_j in 0..1: the share of φ_j's variance over the batch that f's answer tells by a ridge regression; 0 is best.

    The answer is [log f(x), f(x)] of the softmax, each column standardised, and a constant: f does not learn from this term. The
    score that it stands for, `logit_predictability`, fits an MLP on other images; a loss needs a closed form. It is a batch
    statistic, taken over all ranks under DDP. The house's own.
    """
    log_f = predictor.detach().log_softmax(dim=1).clamp(min=LEAST_LOG)
    answer = torch.cat([log_f, log_f.exp()], dim=1)
    answer = answer - mean_over_processes(answer.mean(dim=0))
    answer = answer / (_mean_square(answer).sqrt() + 1e-4)
    varied = attributes - mean_over_processes(attributes.mean(dim=0))
    together = mean_over_processes(answer.T @ varied / len(answer))
    within = mean_over_processes(answer.T @ answer / len(answer))
    within = within + RIDGE * torch.eye(len(within), dtype=within.dtype, device=within.device)
    weights = torch.linalg.solve(within, together)
    # The prediction's mean square, w^T A w with A w = b - ridge w: no pass over the batch.
    explained = (weights * (together - RIDGE * weights)).sum(dim=0)
    shares: Tensor = explained / (_mean_square(varied) + LEAST_VARIANCE)
    return shares.mean()


def _mean_square(columns: Tensor) -> Tensor:
    """Of each column, over all ranks."""
    return mean_over_processes(columns.square().mean(dim=0))
