"""The progress bar."""

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
    """One bar for each epoch, with the loss, the accuracies of f and g, and fidelity.

    Accuracies and fidelity are those of the last validation. On a terminal the bar moves with the
    steps; in a log file it is one line for each epoch.
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
