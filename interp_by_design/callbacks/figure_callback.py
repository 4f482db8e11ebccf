"""Base class of callbacks that show the model during training."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pytorch_lightning as pl

from interp_by_design.callbacks.exact_resume import random_state, set_random_state
from interp_by_design.callbacks.interval import Interval
from interp_by_design.callbacks.loggers import Drawing, Sheet, guards, publish
from interp_by_design.callbacks.probe_set import ProbeSet
from interp_by_design.files import replacing
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.report.names import read_names
from interp_by_design.terms import (
    AttributeNames,
    InterpretationTable,
    UserError,
    check_tau,
    check_whole,
)

FIGURES = Path("figures/training")  # in the run folder
N_PROBE_IMAGES = 512  # a share of them has a standard error of about 0.02

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True, eq=False)
class Snapshot:
    """State of the training at which something is shown.

    Args:
        epoch: Finished epochs.
        step: Global step.
        model: The model.
        probe_set: The validation images.
        table: Interpretation table of these images.
        names: Names of attributes.
    """

    epoch: int
    step: int
    model: InterpretableModel
    probe_set: ProbeSet
    table: InterpretationTable
    names: AttributeNames

    def caption(self, data: str) -> str:
        """Return a caption with the data and the epoch.

        Args:
            data: The data that is shown.

        Returns:
            The caption.
        """
        return f"{data}, after epoch {self.epoch}"

    @property
    def caption_all(self) -> str:
        """Caption of what is shown of the whole probe set."""
        return self.caption(f"{len(self.table)} validation images")


class FigureCallback(pl.Callback, ABC):
    """Show figures and tables at an interval and at the end of the training.

    Figures go to `<folder>/figures/training/epoch_…/` and to each logger that takes images. Only
    the first process shows anything. The model, its mode and the random generators are restored,
    so that weights and scores do not depend on what is shown. The first error is logged as a
    warning, and the training continues.

    Subclasses implement `show`.

    Args:
        folder: The run folder.
        every: Interval: a whole number of epochs, or a share of the training below 1 (of at
            least 800 steps); None for the end of the training alone.
        images: Number of validation images, evenly spread over the split and always the same.

    Raises:
        UserError: The interval or the number of images is out of range.
    """

    def __init__(
        self, folder: str | Path, every: int | float | None = 0.25, images: int = N_PROBE_IMAGES
    ) -> None:
        check_whole("images", images, minimum=1)
        self.folder, self.images, self.interval = Path(folder), images, Interval(every)
        # The last one, which other callbacks with as many images reuse at the same step.
        self.snapshot: Snapshot | None = None
        self._epoch = self._shown = 0
        self._warned = False

    @abstractmethod
    def show(self, snapshot: Snapshot) -> Iterable[Drawing | Sheet]:
        """Return figures and tables, under keys that stay the same during training.

        Args:
            snapshot: The current state of the training.

        Returns:
            What to show.
        """

    @final
    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._epoch = trainer.current_epoch + 1
        steps = trainer.num_training_batches / trainer.accumulate_grad_batches
        if self.interval.ends_with(self._epoch, trainer.max_epochs, steps):
            self._show(trainer, pl_module)

    @final
    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._epoch > self._shown:  # the last epoch, also of a training that stops early
            self._show(trainer, pl_module)

    @final
    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._reset()

    @final
    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self._reset()

    def _show(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._shown = self._epoch
        # Lightning sets `fast_dev_run` and others from outside the class.
        if not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        try:
            with _restored(_model(pl_module)) as model:
                self.snapshot = self._take_snapshot(trainer, model)
                shown = list(self.show(self.snapshot))
        except Exception as error:  # hours of training are worth more than a figure
            self._warn(error)
            return
        self._publish(trainer, shown, self.snapshot)

    def _take_snapshot(self, trainer: pl.Trainer, model: InterpretableModel) -> Snapshot:
        """The state of the training; shared with callbacks that show the same images."""
        step = max(0, trainer.global_step - 1)  # as Lightning counts what it logs
        snapshots = [
            other.snapshot
            for other in _figure_callbacks(trainer)
            if other.images == self.images and other.snapshot is not None
        ]
        for snapshot in snapshots:
            if snapshot.step == step:
                return snapshot
        if snapshots:
            probe_set = snapshots[0].probe_set
        else:
            data = trainer.datamodule  # type: ignore[attr-defined]  # set from outside
            probe_set = ProbeSet.from_data(data, self.images)
        table, names = probe_set.table(model), read_names(self.folder)
        return Snapshot(self._epoch, step, model, probe_set, table, names)

    def _publish(
        self, trainer: pl.Trainer, shown: list[Drawing | Sheet], snapshot: Snapshot
    ) -> None:
        folder = self.folder / FIGURES / f"epoch_{snapshot.epoch:04d}"
        try:
            for drawing in [entry for entry in shown if isinstance(entry, Drawing)]:
                with replacing(folder / f"{drawing.key}.png") as file:
                    file.write(drawing.png)
        except Exception as error:  # a full disk
            self._warn(error)
        for logger in guards(trainer.loggers):
            publish(logger, shown, snapshot.step)

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            message = "%s could not show all of epoch %d (%s%s). The run goes on."
            log.warning(message, type(self).__name__, self._epoch, kind, str(error))
        self._warned = True

    def _reset(self) -> None:
        self.snapshot, self._epoch, self._shown = None, 0, 0


def checked_tau(tau: float) -> float:
    """Return `tau` if it is valid.

    Args:
        tau: Attributes with |relevance| > 1/tau are shown.

    Returns:
        `tau` itself.

    Raises:
        UserError: `tau` is not larger than 1.
    """
    check_tau(tau)
    return tau


def _figure_callbacks(trainer: pl.Trainer) -> list[FigureCallback]:
    # Lightning sets the attribute from outside.
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return [callback for callback in callbacks if isinstance(callback, FigureCallback)]


def _model(module: pl.LightningModule) -> InterpretableModel:
    model = getattr(module, "model", None)
    if not isinstance(model, InterpretableModel):
        raise UserError(f"{type(module).__name__} has no InterpretableModel as its `model`")
    return model


@contextmanager
def _restored(model: InterpretableModel) -> Iterator[InterpretableModel]:
    """The model in evaluation mode; mode and random generators are restored afterwards."""
    state = random_state()
    try:
        with evaluating(model):
            yield model
    finally:
        set_random_state(state)
