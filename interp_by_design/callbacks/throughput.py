"""How long fitting took, and how many images a second it saw."""

from __future__ import annotations

import time
from typing import Any, final

import pytorch_lightning as pl

from interp_by_design.terms import Batch, BatchWithActivations


@final
class Throughput(pl.Callback):
    """Wall-clock of `Trainer.fit`, validation and checkpoints included, and training images a second over it, of all ranks.

    A resumed run counts on from what its checkpoint says; `seconds` that a fit took before it began, as for writing a cache, can
    be added.
    """

    def __init__(self) -> None:
        self._start: float | None = None
        self._before = 0.0
        self.images = 0

    @property
    def seconds(self) -> float:
        """Of all parts of the run up to now."""
        return self._before + (0.0 if self._start is None else time.perf_counter() - self._start)

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "images": self.images}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._before += state_dict["seconds"]
        self.images = state_dict["images"]

    def add(self, seconds: float) -> None:
        """Counts `seconds` more than the fit itself."""
        self._before += seconds

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Batch | BatchWithActivations,
        batch_idx: int,
    ) -> None:
        self.images += len(batch.labels) * trainer.world_size

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._before, self._start = self.seconds, None

    def scores(self) -> dict[str, float]:
        """`seconds` and `images_per_second` of the fit that ended."""
        return {
            "seconds": self.seconds,
            "images_per_second": self.images / self.seconds if self.seconds else 0.0,
        }
