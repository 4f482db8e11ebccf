"""All that a fit needs, built from a config, and the fit itself, from its beginning or from the last checkpoint."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, final

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from omegaconf import DictConfig
from pytorch_lightning.callbacks import EarlyStopping

from interp_by_design.activations import CacheSettings
from interp_by_design.api import Source, cached_source, silence_lightning
from interp_by_design.callbacks import Throughput
from interp_by_design.data.datamodule import ImageData
from interp_by_design.learning import PostHoc, fit_dictionary
from interp_by_design.model import InterpretableModel
from interp_by_design.run.build import (
    build_cache,
    build_data,
    build_learning,
    build_model,
    build_trainer,
    is_post_hoc,
)
from interp_by_design.run.distributed import n_processes
from interp_by_design.run.folder import RunFolder
from interp_by_design.run.loading import weights_for
from interp_by_design.terms import UnknownName, check_whole

CHECKPOINTS = ("best", "last")
Kind = TypeVar("Kind", bound=pl.Callback)

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True)
class Fitting:
    """What trains together; each process of a run has one of its own."""

    data: ImageData
    model: InterpretableModel
    module: pl.LightningModule
    trainer: pl.Trainer
    cache: CacheSettings | None = None

    @classmethod
    def of(cls, config: DictConfig) -> Fitting:
        """Data, model and trainer as `config` says. Raises `UserError` for a value that cannot be."""
        check(config)
        silence_lightning()
        if threads := config.threads or _fair_share(config.trainer):
            torch.set_num_threads(threads)
        pl.seed_everything(config.seed, workers=True, verbose=False)
        data = build_data(config)
        model = build_model(config, data.facts)
        model.interpreter.learn_from(data.concepts("train"))
        if config.compile:
            model.compile(backend=config.compile)
        module = build_learning(config, model, data.class_counts())
        if is_post_hoc(config):
            _tell_predictor(config.predictor, model)
        return cls(data, model, module, build_trainer(config), build_cache(config))

    @cached_property
    def source(self) -> Source:
        """What is trained on and evaluated: the data, or a frozen predictor's passes over it, recorded at the first use."""
        return cached_source(self.model, self.data, self.cache, self.trainer.strategy.root_device)

    def run(self, folder: RunFolder) -> None:
        """Trains to the end, from `folder`'s last checkpoint where there is one. Raises `Interrupted` at a signal to stop."""
        if rank := self.trainer.global_rank:
            torch.manual_seed(torch.initial_seed() + rank)  # ranks drop out different units
        if checkpoint := folder.last_checkpoint:
            weights_for(
                self.model, checkpoint
            )  # one that does not fit is told before Lightning stumbles over it
        self._prepare(fresh=checkpoint is None)
        try:
            self.trainer.fit(
                self.module, datamodule=self.source, ckpt_path=checkpoint and str(checkpoint)
            )
            self._tell_early_stop()
        except SystemExit as stopped:  # Lightning's answer to a Ctrl-C that does not wait
            raise KeyboardInterrupt from stopped
        finally:
            if dist.is_available() and dist.is_initialized():
                dist.destroy_process_group()

    def _prepare(self, fresh: bool) -> None:
        """What comes before the first step: a post-hoc fit's passes, and a dictionary that is fitted once."""
        start = time.perf_counter()
        source = self.source
        if fresh and isinstance(self.module, PostHoc):
            fit_dictionary(self.model, lambda: source.in_order("train"), self.data.seed)
        for watch in self.callbacks(Throughput):
            watch.add(time.perf_counter() - start)

    def callbacks(self, kind: type[Kind]) -> list[Kind]:
        """The trainer's callbacks of a kind."""
        callbacks: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]  # Lightning sets it from outside
        return [callback for callback in callbacks if isinstance(callback, kind)]

    def _tell_early_stop(self) -> None:
        for callback in self.callbacks(EarlyStopping):
            if callback.stopped_epoch:
                log.info(
                    "Stopped early: %s has not improved for %d validations.",
                    callback.monitor,
                    callback.patience,
                )


def check(config: DictConfig) -> None:
    """What can be known to be wrong before anything is read."""
    if config.checkpoint not in CHECKPOINTS:
        raise UnknownName.among("checkpoint", str(config.checkpoint), CHECKPOINTS)
    check_whole("seed", config.seed, minimum=0, maximum=2**32 - 1)
    if config.threads is not None:  # null is torch's choice
        check_whole("threads", config.threads, minimum=1)
    if config.compile and config.compile not in torch.compiler.list_backends(
        exclude_tags=()
    ):  # those for debugging too
        raise UnknownName.among(
            "backend of torch.compile", str(config.compile), torch.compiler.list_backends()
        )
    epochs = config.trainer.max_epochs
    if epochs is not None and epochs != -1:  # both are for no end
        check_whole("trainer.max_epochs", epochs, minimum=1)


def _tell_predictor(given: DictConfig, model: InterpretableModel) -> None:
    """What is interpreted, where that is easily not what was meant."""
    if any(key in given and given[key] is None for key in ("path", "weights")):
        log.warning(
            "No weights are given: the network that is interpreted has random ones. predictor.weights=… names others."
        )
    normalisation = model.predictor.preprocessing.normalisation
    log.info(
        "It gets images in [0, 1], less mean %s, over std %s", normalisation.mean, normalisation.std
    )


def _fair_share(trainer: DictConfig) -> int | None:
    """Threads of each of several processes on one machine; None leaves the choice to torch."""
    n = n_processes(trainer)
    return max(1, (os.cpu_count() or 1) // n) if n > 1 else None
