"""Drift of attributes during training: correlation with their values an interval ago."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import pytorch_lightning as pl
import torch
from torch import Tensor

from interp_by_design.callbacks.figure_callback import N_PROBE_IMAGES, FigureCallback, Snapshot
from interp_by_design.callbacks.loggers import Drawing
from interp_by_design.statistics import correlation
from interp_by_design.visualize import LIGHT, drift

MAX_INTERVALS = 100  # shown and saved in a checkpoint


@final
class Drift(FigureCallback):
    """Show how far each attribute has changed since the interval before, `attributes/drift`.

    That is the correlation of its values on the probe set, from the second interval on. A resumed
    run continues the curves of its checkpoint.

    Args:
        folder: The run folder.
        every: Interval: a whole number of epochs, or a share of the training below 1; None for
            the end of the training alone.
        images: Number of validation images in the probe set.
    """

    def __init__(
        self, folder: str | Path, every: int | float | None = 0.25, images: int = N_PROBE_IMAGES
    ) -> None:
        super().__init__(folder, every, images)
        self._before: Tensor | None = None
        self._epochs: list[int] = []
        self._correlations: list[Tensor] = []

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        # A checkpoint is read after this.
        self._before, self._epochs, self._correlations = None, [], []

    def state_dict(self) -> dict[str, Any]:
        return {
            "before": self._before,
            "epochs": list(self._epochs),
            "correlations": list(self._correlations),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._before = state_dict["before"]
        self._epochs, self._correlations = (
            list(state_dict["epochs"]),
            list(state_dict["correlations"]),
        )

    def show(self, snapshot: Snapshot) -> Iterator[Drawing]:
        before, now = self._before, snapshot.table.attributes
        self._before = now
        if before is None or before.shape != now.shape:
            return
        self._epochs = [*self._epochs, snapshot.epoch][-MAX_INTERVALS:]
        self._correlations = [
            *self._correlations,
            correlation(before.double(), now.double()).float(),
        ][-MAX_INTERVALS:]
        figure = drift(
            self._epochs,
            torch.stack(self._correlations),
            snapshot.names,
            LIGHT,
            snapshot.caption_all,
        )
        yield Drawing.from_figure(
            "attributes/drift",
            f"correlation with the interval before, {snapshot.caption_all}",
            figure,
        )
