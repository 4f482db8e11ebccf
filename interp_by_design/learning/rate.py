"""Schedules of the learning rate, relative to the rate of each parameter group."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR


def one_cycle(optimizer: Optimizer, total_steps: int, pct_start: float = 0.3) -> LRScheduler:
    """Return a one-cycle schedule: up to each group's rate, then down to almost 0, along cosines.

    The way up takes at least two steps. Fewer than three steps have no cycle: torch's own schedule
    divides by zero there.

    Args:
        optimizer: The optimiser.
        total_steps: The number of steps of the training.
        pct_start: The share of the steps until the rate is largest, in 0..1.

    Returns:
        The schedule, which is stepped with each batch.

    Source: Smith and Topin, 2017 (arXiv 1708.07120), in torch's form.
    """
    if total_steps < 3:
        return LambdaLR(optimizer, lambda _: 1.0)
    pct_start = max(pct_start, 2 / total_steps)
    return OneCycleLR(
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps,
        pct_start=pct_start,
    )


def lowered_rate(optimizer: Optimizer, total_steps: int, at: float, factor: float) -> LambdaLR:
    """Return a schedule that multiplies the rate by a factor at a point of the training.

    Args:
        optimizer: The optimiser.
        total_steps: The number of steps of the training.
        at: The share of the steps after which the factor holds, in 0..1.
        factor: The factor.

    Returns:
        The schedule, which is stepped with each batch.
    """
    return LambdaLR(optimizer, lambda step: factor if step >= at * total_steps else 1.0)
