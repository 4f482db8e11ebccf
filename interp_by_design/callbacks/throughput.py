"""How long fitting took, and how many images a second it saw."""

from __future__ import annotations

import time
from typing import Any, final

import pytorch_lightning as pl

from interp_by_design.terms import Batch


@final
class Throughput(pl.Callback):
    """Wall-clock of `Trainer.fit`, validation and checkpoints included, and training images a second over it."""

    def __init__(self) -> None:
        self._start = 0.0
        self.seconds = 0.0
        self.images = 0

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start, self.images = time.perf_counter(), 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        self.images += len(batch.labels)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.seconds = time.perf_counter() - self._start

    def scores(self) -> dict[str, float]:
        """`seconds` and `images_per_second` of the fit that ended."""
        return {"seconds": self.seconds, "images_per_second": self.images / self.seconds if self.seconds else 0.0}
