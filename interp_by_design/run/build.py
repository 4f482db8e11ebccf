"""The collaborators of a run, built from its config. Knows nothing of files."""

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
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]  # only re-exported
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
    """The data set, read and split."""
    with _options_of("data"):
        data: ImageData = instantiate(config.data)
        data.setup()
    return data


def build_network(config: DictConfig, facts: DataFacts, load: bool = True) -> nn.Module:
    """f's network with the weights that the config names, before anybody chooses hidden layers; not `load`ed, they are random."""
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
    """What is done to the data's images before `network` sees them."""
    with _options_of("predictor"):
        trained = bool(config.predictor.get("weights") or config.predictor.get("path"))
        return choose_preprocessing(network, facts, config.predictor, trained)


def build_predictor(
    config: DictConfig, facts: DataFacts, load: bool = True, network: nn.Module | None = None
) -> Predictor:
    """f with its preprocessing and its hidden layers; of `network`, where it is at hand already.

    Raises `UserError` for a network with another number of classes.
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
    """Whether the run fits an interpreter to a predictor that stays as it is."""
    learning = config.get("learning")  # no part of what is read of a stranger's config
    return learning is not None and str(learning.get("_target_")).endswith("PostHoc")


def build_model(
    config: DictConfig, facts: DataFacts, load: bool = True, network: nn.Module | None = None
) -> InterpretableModel:
    """f and g with fresh weights, every size that the config leaves open taken from the data and the layer before.

    f begins with the weights that the config names, unless they are not `load`ed, by those who overwrite them all; it is
    `network`, where that is at hand already.
    """
    predictor = build_predictor(config, facts, load, network)
    spec = InterpreterSpec(*(_resolved(config, group) for group in ("attributes", "interpreter")))
    interpreter = build_interpreter(spec, predictor.hidden_shapes, facts, instantiate, _options_of)
    model = InterpretableModel(predictor, interpreter, facts, spec)
    if interpreter.is_the_predictor:
        _made_one(model)
    return model


def _made_one(model: InterpretableModel) -> None:
    """Lets f decide by g. Raises `UserError` where f then does not, as its class head is given something else than g reads."""
    model.interpreter.join(model.predictor.network)
    if not _decides_alike(model):
        raise UserError(
            f"{type(model.interpreter).__name__} decides for f itself, from what the class head is given, and hidden_layers="
            f"{list(model.predictor.hidden_layers)} is something else. Name the stage before the head alone, such as fc1."
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
    """The Lightning module that trains `model` on as many images of each class as `class_counts` says."""
    with _options_of("learning"):
        weights = class_weights(config.learning.get("class_weights"), class_counts)
        module: pl.LightningModule = instantiate(config.learning)(
            model=model, class_weights=weights
        )
    return module


def build_cache(config: DictConfig) -> CacheSettings | None:
    """Where a post-hoc fit keeps its predictor's passes; None for a predictor that learns. `UserError` where that asks for it."""
    if config.get("cache") is None:
        return None
    with _options_of("cache"):
        settings: CacheSettings = instantiate(config.cache)
    if is_post_hoc(config):
        return settings
    if settings.kind in ("ram", "disk"):
        raise UserError(
            f"cache={settings.kind} keeps the passes of a predictor that stays as it is, and with "
            f"{config.learning._target_.rpartition('.')[2]} it learns. Use learning=post_hoc, or leave cache= out."
        )
    return None


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
            "predictor=checkpoint needs the file of the weights: predictor.path=FILE, a state dict, a Lightning checkpoint, or "
            "safetensors."
        )
    if chosen.get("network") is None:
        return checkpoint_network(**offered, path=chosen.path, name=chosen.get("name"), load=load)
    network = _made(instantiate(chosen.network), offered)
    if load and chosen.path is not None:
        load_weights(network, chosen.path, fresh_head=False)
    return network


def _made(make: Any, offered: dict[str, Any]) -> nn.Module:
    """The network that `make` makes with those of the `offered` arguments that its signature names."""
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
    except ValueError:  # what is written in C has none
        return {}


@contextmanager
def _options_of(group: str) -> Iterator[None]:
    """What a constructor says of its arguments is said of the options they came from."""
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
        told = f"The options of {group} do not work: {cause} (`--cfg job --package {group}` shows them)"
        raise UserError(told) from error


def _resolved(config: DictConfig, group: str) -> Any:
    """A group as plain containers, nothing in it left to look up elsewhere."""
    with _options_of(group):
        return OmegaConf.to_container(config[group], resolve=True)


def _present(entries: Any) -> list[Any]:
    return [entry for entry in (entries or {}).values() if entry is not None]
