"""Losses and gradients of two processes with half a batch each, against one process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from interp_by_design.losses import conciseness

N_PROCESSES = 2


def attributes() -> torch.Tensor:
    return torch.rand(8, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def on_a_rank(rank: int, folder: str, codes: str) -> None:
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=N_PROCESSES
    )
    mine = attributes()[rank::N_PROCESSES].requires_grad_()
    loss = conciseness(mine, codes)  # type: ignore[arg-type]
    loss.backward()
    torch.save((loss.detach(), mine.grad), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("codes", ["sum", "softmax"])
def test_entropies_of_the_batch_are_taken_over_all_processes(codes: str, tmp_path: Path) -> None:
    mp.spawn(on_a_rank, args=(str(tmp_path), codes), nprocs=N_PROCESSES)
    whole = attributes().requires_grad_()
    loss = conciseness(whole, codes)  # type: ignore[arg-type]
    loss.backward()
    assert whole.grad is not None
    seen = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(N_PROCESSES)]
    assert torch.allclose(torch.stack([part for part, _ in seen]).mean(), loss)
    for rank, (_, gradient) in enumerate(
        seen
    ):  # DDP averages over ranks, so each rank's own is N_PROCESSES times its share
        assert torch.allclose(gradient / N_PROCESSES, whole.grad[rank::N_PROCESSES])
