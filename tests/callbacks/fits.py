"""Small fits by design on stripes, for tests of callbacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, final

import pytorch_lightning as pl
import torch
from matplotlib.figure import Figure
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.loggers import Logger

from interp_by_design.callbacks.figure_callback import FigureCallback, Snapshot
from interp_by_design.callbacks.loggers import Drawing, Sheet
from interp_by_design.data import TensorData
from interp_by_design.learning import ByDesign, Objective
from tests.small import FACTS, small_model


def stripes(n: int = 120) -> TensorData:
    """Three classes that a small network learns quickly: bright rows at three heights."""
    draws = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 3
    images = 0.2 * torch.rand(n, 1, 8, 8, generator=draws)
    for i, label in enumerate(labels.tolist()):
        images[i, :, 3 * label : 3 * label + 2] += 0.7
    return TensorData(images, labels, FACTS.class_names, batch_size=20, validation=30, test=30)


def fit(
    folder: Path,
    callbacks: Sequence[pl.Callback],
    epochs: int = 4,
    loggers: Iterable[Logger] = (),
    **options: Any,
) -> tuple[pl.Trainer, ByDesign]:
    """Train a small model for `epochs` of three steps each."""
    resumed = options.pop("ckpt_path", None)
    data = options.pop("data", None) or stripes()
    torch.manual_seed(0)
    optimizer = partial(torch.optim.AdamW, lr=1e-2)
    module = ByDesign(small_model(), Objective(), optimizer)  # type: ignore[arg-type]
    trainer = pl.Trainer(
        **{
            "max_epochs": epochs,
            "accelerator": "cpu",
            "devices": 1,
            "logger": list(loggers) or False,
            "enable_checkpointing": any(isinstance(callback, Checkpoint) for callback in callbacks),
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "num_sanity_val_steps": 0,
            "log_every_n_steps": 1,
            "default_root_dir": folder,
            **options,
        },
        callbacks=list(callbacks),
    )
    trainer.fit(module, datamodule=data, ckpt_path=resumed)
    return trainer, module


def figure(words: str = "") -> Figure:
    drawn = Figure(figsize=(1, 0.5), dpi=20)
    drawn.text(0, 0, words)
    return drawn


@final
class Plain(FigureCallback):
    """A figure and a table of next to nothing; keeps the epochs and steps that it was asked at."""

    def __init__(self, *args: Any, error: BaseException | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.error, self.at = error, list[tuple[int, int]]()

    def show(self, snapshot: Snapshot) -> list[Drawing | Sheet]:
        self.at.append((snapshot.epoch, snapshot.step))
        if self.error is not None:
            raise self.error
        mean = float(snapshot.table.attributes.mean())
        return [
            Drawing.from_figure(
                "plain/figure", f"epoch {snapshot.epoch}", figure(str(snapshot.epoch))
            ),
            Sheet("plain/table", ("epoch", "mean", "name"), ((snapshot.epoch, mean, None),)),
        ]


@final
class PowerCut(Checkpoint):
    """Ends an epoch with a checkpoint, and then everything."""

    def __init__(self, path: Path, epoch: int) -> None:
        self.path, self.epoch = path, epoch

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch + 1 == self.epoch:
            trainer.save_checkpoint(self.path)
            raise RuntimeError("power cut")
