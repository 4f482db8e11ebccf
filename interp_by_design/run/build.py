"""The collaborators of a run, built from its config. Knows nothing of files."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from hydra.utils import instantiate
from omegaconf import DictConfig

from interp_by_design.data.datamodule import ImageData
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor
from interp_by_design.terms import DataFacts


def build_data(config: DictConfig) -> ImageData:
    """The data set, read and split."""
    data: ImageData = instantiate(config.data)
    data.setup()
    return data


def build_model(config: DictConfig, facts: DataFacts) -> InterpretableModel:
    """f and g with fresh weights, every size that the config leaves open taken from the data and the layer before."""
    network = instantiate(config.predictor.network)(image_shape=facts.image_shape, n_classes=facts.n_classes)
    predictor = Predictor(network, config.predictor.hidden_layers, facts)
    dictionary = instantiate(config.attributes)(shapes=predictor.hidden_shapes)
    parts = instantiate(config.interpreter)
    head = parts.keywords.pop("head")(n_attributes=dictionary.n_attributes, n_classes=facts.n_classes)
    decoder = parts.keywords.pop("decoder")(n_attributes=dictionary.n_attributes, image_shape=facts.image_shape)
    return InterpretableModel(predictor, parts(dictionary=dictionary, head=head, decoder=decoder), facts)


def build_learning(config: DictConfig, model: InterpretableModel) -> pl.LightningModule:
    """The Lightning module that trains `model`."""
    module: pl.LightningModule = instantiate(config.learning)(model=model)
    return module


def build_trainer(config: DictConfig) -> pl.Trainer:
    """The Lightning trainer with its callbacks and loggers; an entry set to null is left out."""
    callbacks, loggers = (_present(instantiate(group)) for group in (config.callbacks, config.logger))
    trainer: pl.Trainer = instantiate(config.trainer, callbacks=callbacks, logger=loggers)
    return trainer


def _present(entries: Any) -> list[Any]:
    return [entry for entry in (entries or {}).values() if entry is not None]
