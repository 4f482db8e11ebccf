"""State that Lightning does not restore, for runs that resume exactly."""

from __future__ import annotations

import random
from typing import Any, final

import numpy as np
import pytorch_lightning as pl
import torch
import torch.distributed as dist


@final
class ExactResume(pl.Callback):
    """Restore random generators and the training loader, so that scores equal an unbroken run.

    The generators of each rank (Python, NumPy, torch) are set before the first step after a
    resume. Nothing draws between two steps: orders and augmentations have their own generators.
    Lightning restores the loader too early, before there is a checkpoint, if the number of steps
    is requested while optimisers are built.
    """

    def __init__(self) -> None:
        self._generators: dict[str, Any] | None = None
        self._loaders: list[dict[str, Any]] = []

    def state_dict(self) -> dict[str, Any]:
        mine = random_state()
        if not (dist.is_available() and dist.is_initialized()):
            return {"ranks": [mine]}
        ranks: list[dict[str, Any]] = [{}] * dist.get_world_size()
        dist.all_gather_object(ranks, mine)
        return {"ranks": ranks}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        rank = dist.get_rank() if dist.is_available() and dist.is_initialized() else 0
        self._generators = state_dict["ranks"][rank] if rank < len(state_dict["ranks"]) else None

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._loaders = checkpoint["loops"]["fit_loop"]["state_dict"].get("combined_loader", [])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for state in self._loaders:  # there is one loader, or none that has a state
            # It had a state when it was saved.
            trainer.train_dataloader.load_state_dict(state)  # type: ignore[union-attr]
        self._loaders = []

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if self._generators is not None:
            set_random_state(self._generators)
            self._generators = None


def random_state() -> dict[str, Any]:
    """Return the state of every global random generator.

    Returns:
        Plain types and tensors, which `torch.load(weights_only=True)` reads.
    """
    kind, keys, position, has_gauss, gauss = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": [
            str(kind),
            [int(key) for key in keys],
            int(position),
            int(has_gauss),
            float(gauss),
        ],
        "torch": torch.get_rng_state(),
        "cuda": list(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Set every global random generator.

    Args:
        state: A state from `random_state`; states of missing GPUs are ignored.
    """
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, np.asarray(keys, dtype=np.uint32), *rest))
    torch.set_rng_state(state["torch"].cpu())
    for device, cuda in enumerate(state["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(cuda.cpu(), device)
