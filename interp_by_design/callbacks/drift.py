"""Whether each attribute is still the one that it was: its values on the same images, now and an interval ago."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import pytorch_lightning as pl
import torch
from torch import Tensor

from interp_by_design.callbacks.figure_callback import WATCHED, FigureCallback, Snapshot
from interp_by_design.callbacks.loggers import Drawing
from interp_by_design.statistics import correlation
from interp_by_design.visualize import LIGHT, drift

REMEMBERED = 100  # intervals


@final
class Drift(FigureCallback):
    """The correlation of each attribute over the watched images with the interval before, `attributes/drift`, from the second on.

    A resumed run goes on with what its checkpoint remembers.
    """

    def __init__(
        self, folder: str | Path, every: int | float | None = 0.25, images: int = WATCHED
    ) -> None:
        super().__init__(folder, every, images)
        self._before: Tensor | None = None
        self._epochs: list[int] = []
        self._correlations: list[Tensor] = []

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Forgets the fit before; a checkpoint is read after this."""
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

    def show(self, glance: Snapshot) -> Iterator[Drawing]:
        before, now = self._before, glance.table.attributes
        self._before = now
        if before is None or before.shape != now.shape:
            return
        self._epochs = [*self._epochs, glance.epoch][-REMEMBERED:]
        self._correlations = [
            *self._correlations,
            correlation(before.double(), now.double()).float(),
        ][-REMEMBERED:]
        figure = drift(
            self._epochs, torch.stack(self._correlations), glance.names, LIGHT, glance.over_all
        )
        yield Drawing.of(
            "attributes/drift", f"correlation with the interval before, {glance.over_all}", figure
        )
