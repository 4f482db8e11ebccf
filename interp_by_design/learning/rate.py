"""The learning rate over a training, relative to each parameter group's own. Knows nothing of what is learnt."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR


def one_cycle(optimizer: Optimizer, total_steps: int, pct_start: float = 0.3) -> LRScheduler:
    """Up to each group's rate over the share `pct_start` (0..1) of `total_steps`, then down to next to nothing, along cosines.

    Up takes two steps at least, and fewer than three steps have no cycle: torch's own divides by zero there.

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
    """The optimiser's learning rate, times `factor` once the share `at` (0..1) of `total_steps` is done."""
    return LambdaLR(optimizer, lambda step: factor if step >= at * total_steps else 1.0)
