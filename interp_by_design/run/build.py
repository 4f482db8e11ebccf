"""Data, model, learning module and trainer of a run, built from its config."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities.exceptions import (  # type: ignore[attr-defined]  # re-exported
    MisconfigurationException,
)
from torch import nn

from interp_by_design.activations import CacheSettings
from interp_by_design.callbacks import guarded
from interp_by_design.data.datamodule import ImageData
from interp_by_design.interpreter import InterpreterSpec, build_interpreter
from interp_by_design.learning import class_weights
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import (
    Predictor,
    Preprocessing,
    checkpoint_network,
    choose_preprocessing,
    evaluating,
    load_weights,
    parse_size,
)
from interp_by_design.predictor.weights import class_count_error
from interp_by_design.run.checkpoint_io import AtomicCheckpointIO
from interp_by_design.run.distributed import n_processes
from interp_by_design.terms import DataFacts, UserError


def build_data(config: DictConfig) -> ImageData:
    """Build the data set, read and split.

    Args:
        config: The config of a run; the group `data` is enough.

    Returns:
        The data set.

    Raises:
        UserError: For options that cannot be, and for data that is not there.
    """
    with _options_of("data"):
        data: ImageData = instantiate(config.data)
        data.setup()
    return data


def build_network(config: DictConfig, facts: DataFacts, load: bool = True) -> nn.Module:
    """Build the network of the predictor, without a choice of hidden layers.

    Args:
        config: The config of a run.
        facts: Shape of images and classes of the data.
        load: Whether to load the weights that the config names; else they are random.

    Returns:
        The network.

    Raises:
        UserError: For options that cannot be, and for weights that do not fit.
    """
    chosen = config.predictor
    with _options_of("predictor"):
        shape = (facts.image_shape[0], *(parse_size(chosen) or facts.image_shape[1:]))
        offered = {"image_shape": shape, "n_classes": facts.n_classes}
        if "path" in chosen or OmegaConf.is_missing(chosen, "path"):
            return _from_checkpoint(chosen, offered, load)
        make, start = (
            instantiate(chosen.network),
            {"fresh_head": not is_post_hoc(config), "load": load},
        )
        if "fresh_head" in _parameters(make):
            return _made(make, offered | start | {"weights": chosen.get("weights")})
        network = _made(make, offered)
        if load and (weights := chosen.get("weights")):
            load_weights(network, weights, start["fresh_head"])
    return network


def build_preprocessing(config: DictConfig, network: nn.Module, facts: DataFacts) -> Preprocessing:
    """Build the preprocessing between the data's images and the network.

    Args:
        config: The config of a run.
        network: The network of the predictor.
        facts: Shape and normalisation of the data's images.

    Returns:
        The preprocessing.

    Raises:
        UserError: For options that cannot be.
    """
    with _options_of("predictor"):
        trained = bool(config.predictor.get("weights") or config.predictor.get("path"))
        return choose_preprocessing(network, facts, config.predictor, trained)


def build_predictor(
    config: DictConfig, facts: DataFacts, load: bool = True, network: nn.Module | None = None
) -> Predictor:
    """Build the predictor: a network with its preprocessing and hidden layers.

    Args:
        config: The config of a run.
        facts: Shape of images and classes of the data.
        load: Whether to load the weights that the config names.
        network: The network, where it is given; else it is built.

    Returns:
        The predictor.

    Raises:
        UserError: For options that cannot be, and for a network with another number of classes.
    """
    network = build_network(config, facts, load) if network is None else network
    preprocessing = build_preprocessing(config, network, facts)
    with _options_of("predictor"):
        predictor = Predictor(network, config.predictor.hidden_layers, facts, preprocessing)
        with evaluating(predictor), torch.no_grad():
            given = predictor(torch.zeros(2, *facts.image_shape)).logits.shape[1]
    if given != facts.n_classes:
        raise class_count_error(f"this {type(network).__name__}", given, facts.n_classes)
    return predictor


def is_post_hoc(config: DictConfig) -> bool:
    """Return whether a run fits an interpreter to a frozen predictor.

    Args:
        config: The config of a run.

    Returns:
        False also for the part of an unknown author's config that is read, without `learning`.
    """
    learning = config.get("learning")
    return learning is not None and str(learning.get("_target_")).endswith("PostHoc")


def build_model(
    config: DictConfig, facts: DataFacts, load: bool = True, network: nn.Module | None = None
) -> InterpretableModel:
    """Build predictor and interpreter; sizes that the config leaves open come from the data.

    Args:
        config: The config of a run.
        facts: Shape of images and classes of the data.
        load: Whether the predictor starts with the weights that the config names. A caller that
            overwrites all weights needs none.
        network: The predictor's network, where it is given; else it is built.

    Returns:
        The model.

    Raises:
        UserError: For options that cannot be, or that do not fit each other.
    """
    predictor = build_predictor(config, facts, load, network)
    spec = InterpreterSpec(*(_resolved(config, group) for group in ("attributes", "interpreter")))
    interpreter = build_interpreter(spec, predictor.hidden_shapes, facts, instantiate, _options_of)
    model = InterpretableModel(predictor, interpreter, facts, spec)
    if interpreter.is_the_predictor:
        _join(model)
    return model


def _join(model: InterpretableModel) -> None:
    """Let f decide by g, and check that it does: its head may get something else than g reads."""
    model.interpreter.join(model.predictor.network)
    if not _decides_alike(model):
        raise UserError(
            f"{type(model.interpreter).__name__} decides for f itself, from the input of the class "
            f"head, and hidden_layers={list(model.predictor.hidden_layers)} is something else. "
            "Name the stage before the head alone, such as fc1."
        )


def _decides_alike(model: InterpretableModel) -> bool:
    with evaluating(model), torch.no_grad():
        try:
            seen = model(torch.rand(2, *model.facts.image_shape), reconstruct=False)
        except (RuntimeError, TypeError):  # sizes that do not fit
            return False
    return torch.allclose(seen.predictor, seen.interpreter, rtol=1e-4, atol=1e-5)


def build_learning(
    config: DictConfig, model: InterpretableModel, class_counts: Sequence[int]
) -> pl.LightningModule:
    """Build the Lightning module that trains a model.

    Args:
        config: The config of a run.
        model: The model.
        class_counts: How many training images each class has, for class weights.

    Returns:
        The Lightning module.

    Raises:
        UserError: For options that cannot be.
    """
    with _options_of("learning"):
        weights = class_weights(config.learning.get("class_weights"), class_counts)
        module: pl.LightningModule = instantiate(config.learning)(
            model=model, class_weights=weights
        )
    return module


def build_cache(config: DictConfig) -> CacheSettings | None:
    """Build the settings of the activation cache of a post-hoc run.

    Args:
        config: The config of a run.

    Returns:
        The settings; None without a cache, and for a predictor that learns.

    Raises:
        UserError: For a cache of the activations of a predictor that learns.
    """
    if config.get("cache") is None:
        return None
    with _options_of("cache"):
        settings: CacheSettings = instantiate(config.cache)
    if is_post_hoc(config):
        return settings
    if settings.kind in ("ram", "disk"):
        raise UserError(
            f"cache={settings.kind} keeps the activations of a frozen predictor, and with "
            f"{config.learning._target_.rpartition('.')[2]} it learns. "
            "Use learning=post_hoc, or leave cache= out."
        )
    return None


def build_trainer(config: DictConfig) -> pl.Trainer:
    """Build the Lightning trainer with its callbacks and loggers.

    Args:
        config: The config of a run. A callback or logger that is null is left out.

    Returns:
        The trainer.

    Raises:
        UserError: For options that cannot be.
    """
    with _options_of("callbacks"):
        callbacks = _present(instantiate(config.callbacks))
    with _options_of("logger"):
        loggers = guarded(instantiate(config.logger))
    with _options_of("trainer"):
        strategy = config.trainer.strategy
        if strategy == "auto" and n_processes(config.trainer) > 1:
            # A loss term that its schedule has not started leaves its parameters unused.
            strategy = "ddp_find_unused_parameters_true"
        trainer: pl.Trainer = instantiate(
            config.trainer,
            callbacks=callbacks,
            logger=loggers,
            strategy=strategy,
            plugins=[AtomicCheckpointIO()],
        )
    return trainer


def _from_checkpoint(chosen: DictConfig, offered: dict[str, Any], load: bool) -> nn.Module:
    if OmegaConf.is_missing(chosen, "path"):
        raise UserError(
            "predictor=checkpoint needs the file of the weights: predictor.path=FILE, "
            "a state dict, a Lightning checkpoint, or safetensors."
        )
    if chosen.get("network") is None:
        return checkpoint_network(**offered, path=chosen.path, name=chosen.get("name"), load=load)
    network = _made(instantiate(chosen.network), offered)
    if load and chosen.path is not None:
        load_weights(network, chosen.path, fresh_head=False)
    return network


def _made(make: Any, offered: dict[str, Any]) -> nn.Module:
    """Make a network from those of the `offered` arguments that the signature of `make` names."""
    takes = _parameters(make)
    network = (
        make
        if isinstance(make, nn.Module)
        else make(**{name: value for name, value in offered.items() if name in takes})
    )
    if not isinstance(network, nn.Module):
        raise UserError(
            f"predictor.network gives {type(network).__name__}; wanted a torch.nn.Module."
        )
    return network


def _parameters(make: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return {} if isinstance(make, nn.Module) else inspect.signature(make).parameters
    except ValueError:  # code in C has no signature
        return {}


@contextmanager
def _options_of(group: str) -> Iterator[None]:
    """Re-raise errors of a constructor as user errors that name the config group."""
    try:
        yield
    except UserError:
        raise
    except (
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
        InstantiationException,
        MisconfigurationException,
    ) as error:
        cause = error.__cause__ or error
        if isinstance(cause, UserError):
            raise cause from error
        raise UserError(
            f"The options of {group} do not work: {cause} "
            f"(`--cfg job --package {group}` shows them)"
        ) from error


def _resolved(config: DictConfig, group: str) -> Any:
    """Return a group as plain containers, with interpolations resolved."""
    with _options_of(group):
        return OmegaConf.to_container(config[group], resolve=True)


def _present(entries: Any) -> list[Any]:
    return [entry for entry in (entries or {}).values() if entry is not None]
