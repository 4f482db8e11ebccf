"""Batch statistics of a loss over the batches of all processes."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor


def mean_over_processes(local: Tensor) -> Tensor:
    """Average a tensor over all processes, with gradients to each process's own.

    Processes must hold batches of one size. With gradients averaged over processes, as DDP does, a
    function of this mean then has the gradient that it has in one process on the whole batch.

    Args:
        local: This process's tensor, of any shape.

    Returns:
        The mean, of the same shape; `local` itself where there is one process.

    >>> mean_over_processes(torch.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return local
    summed: Tensor = _SumOverProcesses.apply(local)
    return summed / dist.get_world_size()


def centred_over_processes(columns: Float[Tensor, "n columns"]) -> Float[Tensor, "n columns"]:
    """Subtract from each column its mean over the batches of all processes.

    Args:
        columns: This process's rows, [n, d].

    Returns:
        The centred rows, [n, d].
    """
    return columns - mean_over_processes(columns.mean(dim=0))


def mean_square_over_processes(columns: Float[Tensor, "n columns"]) -> Float[Tensor, "columns"]:
    """Compute the mean square of each column over the batches of all processes.

    Args:
        columns: This process's rows, [n, d].

    Returns:
        The mean squares, [d].
    """
    return mean_over_processes(columns.square().mean(dim=0))


class _SumOverProcesses(torch.autograd.Function):
    """All-reduce whose gradient is the all-reduce of the gradients.

    Each process's input counts in every process's output.
    """

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
