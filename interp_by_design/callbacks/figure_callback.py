"""What every callback has in common that shows something of the model in training. Knows nothing of what is shown."""

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
WATCHED = 512  # images: a share of them is known to about 0.02

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True, eq=False)
class Snapshot:
    """What there is to show after `epoch`: the model, the watched images, and what it makes of them; `step` is the global one."""

    epoch: int
    step: int
    model: InterpretableModel
    watched: ProbeSet
    table: InterpretationTable
    names: AttributeNames

    def over(self, what: str) -> str:
        """The words of a caption: over which data, and when."""
        return f"{what}, after epoch {self.epoch}"

    @property
    def over_all(self) -> str:
        """For what is shown of all watched images."""
        return self.over(f"{len(self.table)} validation images")


class FigureCallback(pl.Callback, ABC):
    """Shows something every so often and at the end: in `<folder>/figures/training/epoch_…/`, and on each logger that can.

    every: a whole number of epochs; a share of the training, below 1, and at least 800 steps; None for its end alone.
    images: how many validation images are watched, evenly spread over the split and always the same.

    Only the first process does anything. The model, its mode and all random numbers are as before: weights and scores of a run do
    not depend on what it shows. Whatever goes wrong is told once, and the run goes on.
    """

    def __init__(
        self, folder: str | Path, every: int | float | None = 0.25, images: int = WATCHED
    ) -> None:
        """Raises `UserError` for an interval or a number of images that cannot be."""
        check_whole("images", images, minimum=1)
        self.folder, self.images, self.interval = Path(folder), images, Interval(every)
        self.glance: Snapshot | None = (
            None  # the last one, for those who look at the same images at the same step
        )
        self._epoch = self._shown = 0
        self._told = False

    @abstractmethod
    def show(self, glance: Snapshot) -> Iterable[Drawing | Sheet]:
        """What there is to show, under keys that stay the same."""

    @final
    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._epoch = trainer.current_epoch + 1
        steps = trainer.num_training_batches / trainer.accumulate_grad_batches
        if self.interval.ends_with(self._epoch, trainer.max_epochs, steps):
            self._show(trainer, pl_module)

    @final
    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._epoch > self._shown:  # the last epoch, however the training came to it
            self._show(trainer, pl_module)

    @final
    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._let_go()

    @final
    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self._let_go()

    def _show(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._shown = self._epoch
        if not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]  # set from outside
            return
        try:
            with _undisturbed(_model(pl_module)) as model:
                self.glance = self._look(trainer, model)
                shown = list(self.show(self.glance))
        except Exception as error:  # hours of training are worth more than a figure
            self._tell(error)
            return
        self._publish(trainer, shown, self.glance)

    def _look(self, trainer: pl.Trainer, model: InterpretableModel) -> Snapshot:
        """At the watched images; as another of these callbacks did, where it looked at the same step."""
        step = max(0, trainer.global_step - 1)  # as Lightning counts what it logs
        glances = [
            other.glance
            for other in _showing(trainer)
            if other.images == self.images and other.glance is not None
        ]
        for glance in glances:
            if glance.step == step:
                return glance
        watched = glances[0].watched if glances else ProbeSet.of(trainer.datamodule, self.images)  # type: ignore[attr-defined]
        return Snapshot(
            self._epoch, step, model, watched, watched.table(model), read_names(self.folder)
        )

    def _publish(self, trainer: pl.Trainer, shown: list[Drawing | Sheet], glance: Snapshot) -> None:
        try:
            for drawing in [entry for entry in shown if isinstance(entry, Drawing)]:
                with replacing(
                    self.folder / FIGURES / f"epoch_{glance.epoch:04d}" / f"{drawing.key}.png"
                ) as file:
                    file.write(drawing.png)
        except Exception as error:  # a full disk
            self._tell(error)
        for logger in guards(trainer.loggers):
            publish(logger, shown, glance.step)

    def _tell(self, error: Exception) -> None:
        if not self._told:
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            told = "%s could not show all of epoch %d (%s%s). The run goes on."
            log.warning(told, type(self).__name__, self._epoch, kind, str(error))
        self._told = True

    def _let_go(self) -> None:
        self.glance, self._epoch, self._shown = None, 0, 0


def checked_tau(tau: float) -> float:
    """`tau`. Raises `UserError` unless it is larger than 1."""
    check_tau(tau)
    return tau


def _showing(trainer: pl.Trainer) -> list[FigureCallback]:
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set from outside
    return [callback for callback in callbacks if isinstance(callback, FigureCallback)]


def _model(module: pl.LightningModule) -> InterpretableModel:
    model = getattr(module, "model", None)
    if not isinstance(model, InterpretableModel):
        raise UserError(f"{type(module).__name__} has no InterpretableModel as its `model`")
    return model


@contextmanager
def _undisturbed(model: InterpretableModel) -> Iterator[InterpretableModel]:
    """The model in evaluation mode for the block; afterwards it is as it was, and so are all random generators."""
    state = random_state()
    try:
        with evaluating(model):
            yield model
    finally:
        set_random_state(state)
