"""One run, from config to numbers: train, take the chosen checkpoint, evaluate, write, show."""

from __future__ import annotations

import logging
import warnings

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig

from interp_by_design.callbacks import Throughput
from interp_by_design.data.datamodule import ImageData
from interp_by_design.gather import class_mean_images, interpretation_table
from interp_by_design.metrics import scorecard
from interp_by_design.model import InterpretableModel
from interp_by_design.report import scorecard_table
from interp_by_design.run.build import build_data, build_learning, build_model, build_trainer
from interp_by_design.run.folder import RunFolder
from interp_by_design.run.loading import restore
from interp_by_design.terms import UnknownName, UserError

CHECKPOINTS = ("best", "last")

log = logging.getLogger(__name__)


def train(config: DictConfig) -> dict[str, float]:
    """Runs `config` to its end: the run folder then holds checkpoints, provenance and metrics.json. Returns the numbers."""
    _check(config)
    if config.threads:
        torch.set_num_threads(config.threads)
    _quiet_lightning()
    pl.seed_everything(config.seed, workers=True, verbose=False)
    data = build_data(config)
    module = build_learning(config, model := build_model(config, data.facts))
    trainer = build_trainer(config)
    folder = RunFolder(config.folder)
    folder.claim()
    folder.write_provenance(data.facts, data.fingerprint())
    log.info("Training on %s; the run folder is %s", data, folder.path)
    _fit(trainer, module, data)
    restore(model, folder.checkpoint(config.checkpoint))
    scores = evaluate(model, data, config.seed) | _cost(trainer)
    folder.write("metrics.json", scores)
    scorecard_table.show(scores, model.interpreter.n_attributes)
    log.info("Everything is in %s", folder.path)
    return scores


def _fit(trainer: pl.Trainer, module: pl.LightningModule, data: ImageData) -> None:
    try:
        trainer.fit(module, datamodule=data)
    except SystemExit:  # Lightning's answer to Ctrl-C, without a word
        log.warning("Interrupted in epoch %d. Checkpoints of the epochs before are kept.", trainer.current_epoch + 1)
        raise SystemExit(130) from None


def evaluate(model: InterpretableModel, data: ImageData, seed: int) -> dict[str, float]:
    """The scorecard of a model on validation and test, by keys `val/…` and `test/…`."""
    means = class_mean_images(data.train_in_order(), data.facts.n_classes)
    train_table = interpretation_table(model, data.train_in_order(), means)
    splits = {"val": data.val_dataloader(), "test": data.test_dataloader()}
    return {
        f"{split}/{key}": value
        for split, loader in splits.items()
        for key, value in scorecard(interpretation_table(model, loader, means), train_table, seed).items()
    }


def _check(config: DictConfig) -> None:
    """What can be known to be wrong before anything is read."""
    if config.checkpoint not in CHECKPOINTS:
        raise UnknownName.among("checkpoint", str(config.checkpoint), CHECKPOINTS)
    if not isinstance(config.seed, int) or not 0 <= config.seed < 2**32:
        raise UserError(f"seed must be a whole number from 0 to 4294967295, not {config.seed!r}.")
    epochs = config.trainer.max_epochs
    if epochs is not None and (not isinstance(epochs, int) or (epochs < 1 and epochs != -1)):
        raise UserError(f"trainer.max_epochs must be a whole number of at least 1, or -1 for no end, not {epochs!r}.")


def _cost(trainer: pl.Trainer) -> dict[str, float]:
    """`train/seconds` and `train/images_per_second`, where the callback that measures them was on."""
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # Lightning sets it from outside
    watches = [callback for callback in callbacks if isinstance(callback, Throughput)]
    return {f"train/{key}": value for watch in watches[:1] for key, value in watch.scores().items()}


def _quiet_lightning() -> None:
    """Lightning's advice about workers and checkpoints does not hold for sets in memory, and drowns what a person should read."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    warnings.filterwarnings("ignore", ".*LeafSpec.*is deprecated")  # of torch's, addressed to Lightning
    warnings.filterwarnings("ignore", ".*The number of training batches .* is smaller than the logging interval.*")
