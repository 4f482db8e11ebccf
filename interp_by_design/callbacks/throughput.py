"""Duration of the training, and training images per second."""

from __future__ import annotations

import time
from typing import Any, final

import pytorch_lightning as pl

from interp_by_design.terms import Batch, BatchWithActivations


@final
class Throughput(pl.Callback):
    """Measure the wall-clock time of `Trainer.fit` and training images per second.

    The time includes validation and checkpoints; images are those of all ranks. A resumed run adds
    to the time and the images of its checkpoint.
    """

    def __init__(self) -> None:
        self._start: float | None = None
        self._before = 0.0
        self.images = 0

    @property
    def seconds(self) -> float:
        """Seconds of all parts of the run up to now."""
        return self._before + (0.0 if self._start is None else time.perf_counter() - self._start)

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "images": self.images}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._before += state_dict["seconds"]
        self.images = state_dict["images"]

    def add(self, seconds: float) -> None:
        """Add time that the run took before `Trainer.fit`, such as for writing a cache.

        Args:
            seconds: The time.
        """
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
        """Return the scores of the training.

        Returns:
            `seconds` and `images_per_second`.
        """
        return {
            "seconds": self.seconds,
            "images_per_second": self.images / self.seconds if self.seconds else 0.0,
        }
