"""The collaborators of a run, built from its config. Knows nothing of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]  # only re-exported

from interp_by_design.callbacks import guarded
from interp_by_design.data.datamodule import ImageData
from interp_by_design.learning import class_weights
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor, load_weights
from interp_by_design.run.checkpoint_io import AtomicCheckpointIO
from interp_by_design.run.ranks import n_processes
from interp_by_design.terms import DataFacts, Normalisation, UserError


def build_data(config: DictConfig) -> ImageData:
    """The data set, read and split."""
    with _options_of("data"):
        data: ImageData = instantiate(config.data)
        data.setup()
    return data


def build_model(config: DictConfig, facts: DataFacts) -> InterpretableModel:
    """f and g with fresh weights, every size that the config leaves open taken from the data and the layer before."""
    with _options_of("predictor"):
        network = instantiate(config.predictor.network)(image_shape=facts.image_shape, n_classes=facts.n_classes)
        if weights := config.predictor.get("weights"):
            load_weights(network, weights)
        own = config.predictor.get("normalisation")
        predictor = Predictor(
            network, config.predictor.hidden_layers, facts, own and Normalisation(tuple(own.mean), tuple(own.std))
        )
    with _options_of("attributes"):
        dictionary = instantiate(config.attributes)(shapes=predictor.hidden_shapes)
    with _options_of("interpreter"):
        parts = instantiate(config.interpreter)
        head = parts.keywords.pop("head")(n_attributes=dictionary.n_attributes, n_classes=facts.n_classes)
        decoder = parts.keywords.pop("decoder")(n_attributes=dictionary.n_attributes, image_shape=facts.image_shape)
        return InterpretableModel(predictor, parts(dictionary=dictionary, head=head, decoder=decoder), facts)


def build_learning(config: DictConfig, model: InterpretableModel, class_counts: Sequence[int]) -> pl.LightningModule:
    """The Lightning module that trains `model` on as many images of each class as `class_counts` says."""
    with _options_of("learning"):
        weights = class_weights(config.learning.get("class_weights"), class_counts)
        module: pl.LightningModule = instantiate(config.learning)(model=model, class_weights=weights)
    return module


def build_trainer(config: DictConfig) -> pl.Trainer:
    """The Lightning trainer with its callbacks and loggers; an entry set to null is left out."""
    with _options_of("callbacks"):
        callbacks = _present(instantiate(config.callbacks))
    with _options_of("logger"):
        loggers = guarded(instantiate(config.logger))
    with _options_of("trainer"):
        strategy = config.trainer.strategy
        if strategy == "auto" and n_processes(config.trainer) > 1:
            strategy = "ddp_find_unused_parameters_true"  # a term that is not yet in the schedule leaves its parameters unused
        trainer: pl.Trainer = instantiate(
            config.trainer, callbacks=callbacks, logger=loggers, strategy=strategy, plugins=[AtomicCheckpointIO()]
        )
    return trainer


@contextmanager
def _options_of(group: str) -> Iterator[None]:
    """What a constructor says of its arguments is said of the options they came from."""
    try:
        yield
    except UserError:
        raise
    except (TypeError, ValueError, AttributeError, RuntimeError, InstantiationException, MisconfigurationException) as error:
        cause = error.__cause__ or error
        if isinstance(cause, UserError):
            raise cause from error
        told = f"The options of {group} do not work: {cause} (`--cfg job --package {group}` shows them)"
        raise UserError(told) from error


def _present(entries: Any) -> list[Any]:
    return [entry for entry in (entries or {}).values() if entry is not None]
