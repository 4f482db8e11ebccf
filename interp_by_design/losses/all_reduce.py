"""Batch statistics of a loss, taken over the batches of all ranks. Knows nothing of trainers."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def mean_over_processes(local: Tensor) -> Tensor:
    """The mean of `local` over all ranks, with gradients to each rank's own; `local` itself where there is one process.

    Ranks must hold batches of one size. With gradients averaged over ranks, as DDP does, a function of this mean then has the
    gradient that it has in one process on the whole batch.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return local
    summed: Tensor = _SumOverRanks.apply(local)
    return summed / dist.get_world_size()


class _SumOverRanks(torch.autograd.Function):
    """All-reduce whose gradient is the all-reduce of the gradients: each rank's input counts in every rank's output."""

    @staticmethod
    def forward(ctx: Any, local: Tensor) -> Tensor:
        return _summed(local)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _summed(gradients[0])


def _summed(local: Tensor) -> Tensor:
    total = local.detach().clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total
