"""The steps of a run that surround `trainer.fit`."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from omegaconf import DictConfig
from pytorch_lightning.callbacks import EarlyStopping

from interp_by_design.api import Source, silence_lightning
from interp_by_design.callbacks import Throughput
from interp_by_design.data.datamodule import ImageData
from interp_by_design.learning import PostHoc, fit_dictionary
from interp_by_design.model import InterpretableModel
from interp_by_design.run.build import is_post_hoc
from interp_by_design.run.distributed import n_processes
from interp_by_design.run.folder import RunFolder
from interp_by_design.run.loading import weights_for
from interp_by_design.terms import UnknownName, check_whole

CHECKPOINTS = ("best", "last")
MAX_SEED = 2**32 - 1
Kind = TypeVar("Kind", bound=pl.Callback)

log = logging.getLogger(__name__)


def set_up_process(config: DictConfig) -> None:
    """Check the options, then set threads and random seeds of this process.

    Args:
        config: The config of the run.

    Raises:
        UserError: For a value that is wrong for any data and model.
    """
    check_options(config)
    silence_lightning()
    if threads := config.threads or _fair_share(config.trainer):
        torch.set_num_threads(threads)
    pl.seed_everything(config.seed, workers=True, verbose=False)


def check_options(config: DictConfig) -> None:
    """Check the options that need neither data nor model.

    Args:
        config: The config of the run.

    Raises:
        UserError: For a value that cannot be.
    """
    if config.checkpoint not in CHECKPOINTS:
        raise UnknownName.among("checkpoint", str(config.checkpoint), CHECKPOINTS)
    check_whole("seed", config.seed, minimum=0, maximum=MAX_SEED)
    if config.threads is not None:  # null is torch's choice
        check_whole("threads", config.threads, minimum=1)
    # Those for debugging are accepted too.
    if config.compile and config.compile not in torch.compiler.list_backends(exclude_tags=()):
        raise UnknownName.among(
            "backend of torch.compile", str(config.compile), torch.compiler.list_backends()
        )
    epochs = config.trainer.max_epochs
    if epochs is not None and epochs != -1:  # both are for no end
        check_whole("trainer.max_epochs", epochs, minimum=1)


def prepare_model(config: DictConfig, model: InterpretableModel, data: ImageData) -> None:
    """Give the interpreter what it learns from the data's labels, and compile where asked.

    Args:
        config: The config of the run.
        model: The model, not yet trained. A frozen predictor is described in the log.
        data: The data that the model trains on.

    Raises:
        UserError: Where the data lacks the concepts that the interpreter needs.
    """
    model.interpreter.learn_from(data.concepts("train"))
    if config.compile:
        model.compile(backend=config.compile)
    if is_post_hoc(config):
        _describe_predictor(config.predictor, model)


def check_resumable(folder: RunFolder, model: InterpretableModel) -> str | None:
    """Return the checkpoint to resume from, after a check that it fits the model.

    Args:
        folder: The run folder.
        model: The model to be trained.

    Returns:
        The path of the last checkpoint; None where the run starts from its beginning.

    Raises:
        UserError: For a checkpoint that is damaged or that belongs to another model.
    """
    checkpoint = folder.last_checkpoint
    if checkpoint is None:
        return None
    weights_for(model, checkpoint)  # Lightning's own error would not name the cause
    return str(checkpoint)


def seed_rank(trainer: pl.Trainer) -> None:
    """Give each process random numbers of its own, so that processes drop out different units.

    Args:
        trainer: The trainer of the run.
    """
    if rank := trainer.global_rank:
        torch.manual_seed(torch.initial_seed() + rank)


def initialise_dictionary(module: pl.LightningModule, source: Source, seed: int) -> None:
    """Fit a post-hoc run's dictionary where it is fitted once, before the first step.

    Args:
        module: The Lightning module of the run. Any but `PostHoc` is left alone.
        source: The batches of the run.
        seed: The seed of the fit.
    """
    if isinstance(module, PostHoc):
        fit_dictionary(module.model, lambda: source.in_order("train"), seed)


@contextmanager
def timed(trainer: pl.Trainer) -> Iterator[None]:
    """Count the seconds of the block as training time.

    Args:
        trainer: The trainer of the run, whose `Throughput` reports the time.
    """
    start = time.perf_counter()
    yield
    for watch in callbacks_of(trainer, Throughput):
        watch.add(time.perf_counter() - start)


@contextmanager
def closing_fit(trainer: pl.Trainer) -> Iterator[None]:
    """Report an early stop, and leave the process group, at the end of the block.

    Args:
        trainer: The trainer that fits in the block.

    Raises:
        KeyboardInterrupt: At a Ctrl-C that does not wait for a checkpoint.
    """
    try:
        yield
        for callback in callbacks_of(trainer, EarlyStopping):
            if callback.stopped_epoch:
                log.info(
                    "Stopped early: %s has not improved for %d validations.",
                    callback.monitor,
                    callback.patience,
                )
    except SystemExit as stopped:  # Lightning's answer to such a Ctrl-C
        raise KeyboardInterrupt from stopped
    finally:
        if dist.is_available() and dist.is_initialized():
            dist.destroy_process_group()


def training_cost(trainer: pl.Trainer) -> dict[str, float]:
    """Return what the training took.

    Args:
        trainer: The trainer, after the fit.

    Returns:
        `train/seconds` and `train/images_per_second`; empty without a `Throughput` callback.
    """
    watches = callbacks_of(trainer, Throughput)
    return {f"train/{key}": value for watch in watches[:1] for key, value in watch.scores().items()}


def callbacks_of(trainer: pl.Trainer, kind: type[Kind]) -> list[Kind]:
    """Return the trainer's callbacks of one kind.

    Args:
        trainer: The trainer.
        kind: The class of the callbacks.

    Returns:
        Those callbacks, in order.
    """
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return [callback for callback in callbacks if isinstance(callback, kind)]


def _describe_predictor(given: DictConfig, model: InterpretableModel) -> None:
    """Log weights and preprocessing of a frozen predictor, which are easily not those meant."""
    if any(key in given and given[key] is None for key in ("path", "weights")):
        log.warning(
            "No weights are given: the network that is interpreted has random ones. "
            "predictor.weights=… names others."
        )
    normalisation = model.predictor.preprocessing.normalisation
    log.info(
        "It gets images in [0, 1], less mean %s, over std %s", normalisation.mean, normalisation.std
    )


def _fair_share(trainer: DictConfig) -> int | None:
    """Return the threads of each of several processes; None leaves the choice to torch."""
    n = n_processes(trainer)
    return max(1, (os.cpu_count() or 1) // n) if n > 1 else None
