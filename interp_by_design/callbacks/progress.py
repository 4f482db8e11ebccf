"""The progress bar, with the numbers that matter and no others."""

from __future__ import annotations

import sys
from typing import final

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar

SHORT = {
    "train/loss": "loss",
    "val/predictor_accuracy": "f",
    "val/interpreter_accuracy": "g",
    "val/fidelity": "fidelity",
}


@final
class Progress(TQDMProgressBar):
    """One bar an epoch: the loss, and the last validation's accuracy of f and g and their fidelity.

    On a terminal it moves with the steps; in a log file it prints a line an epoch.
    """

    def __init__(self) -> None:
        super().__init__(refresh_rate=20, leave=False)
        if not sys.stderr.isatty():
            self.disable()

    def get_metrics(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        found = trainer.progress_bar_metrics
        return {short: f"{float(found[key]):.4f}" for key, short in SHORT.items() if key in found}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        if not trainer.is_global_zero:
            return
        numbers = "  ".join(
            f"{name} {value}" for name, value in self.get_metrics(trainer, pl_module).items()
        )
        print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  {numbers}", flush=True)
