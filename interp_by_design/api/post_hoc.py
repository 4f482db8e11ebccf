"""Post-hoc interpretation of a live network: `interpret(network, layers, data)`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn
from torch.optim import AdamW

from interp_by_design.api.evaluation import evaluate
from interp_by_design.api.in_memory import in_memory_data
from interp_by_design.api.lightning_warnings import silent_lightning
from interp_by_design.api.options import FitOptions
from interp_by_design.api.source import Source, cached_source
from interp_by_design.callbacks import Progress
from interp_by_design.interpreter import InterpreterSpec, build_interpreter, instantiate
from interp_by_design.learning import Objective, PostHoc, fit_dictionary, one_cycle
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor, weights_hash
from interp_by_design.terms import DataFacts, UserError

log = logging.getLogger(__name__)

MIN_LARGE_SIDE = 64  # pixels, from which images are decoded by convolutions


def interpret(
    network: nn.Module, layers: Sequence[str], data: Any, n_attributes: int = 36, **options: Any
) -> InterpretableModel:
    """Fit an interpreter to a network, and return the two as one model.

    The network's weights, buffers and `requires_grad` stay as they are; it is left in evaluation
    mode.

    Args:
        network: The network, which returns logits [n, classes].
        layers: The names of its hidden layers, such as `["layer3", "layer4"]`;
            `interp_by_design.predictor.usable_layers` lists them.
        data: A data set whose items are `(image, label)`, a DataLoader of one, images and labels as
            two tensors, or an `ImageData`. Images are [c, h, w] in [0, 1], uint8 or PIL's. Where
            the data set normalises, that is undone.
        n_attributes: The number of attributes, J.
        **options: Options of `FitOptions`.

    Returns:
        The model, which explains images in [0, 1] and normalises them itself. Its test scores are
        in `model.scores`.

    Raises:
        UserError: The network, the layers, the data or an option cannot be used.
    """
    chosen = FitOptions.from_keywords(options)
    layers = [layers] if isinstance(layers, str) else list(layers)
    with _frozen(network), torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        dataset = in_memory_data(network, layers, data, chosen)
        dataset.setup()
        model = _model(network, layers, n_attributes, dataset.facts, chosen)
        with silent_lightning():
            trainer = _trainer(chosen)
            source = cached_source(
                model, dataset, chosen.cache_settings, trainer.strategy.root_device
            )
            _fit(model, source, trainer, chosen)
        model.scores = {
            key.removeprefix("test/"): value
            for key, value in evaluate(model, source, chosen.seed, splits=("test",)).items()
        }
        model.fitted_to = weights_hash(network)
    log.info(
        "Fidelity %.3f on %d held-out images", model.scores["fidelity"], len(dataset.split("test"))
    )
    return model.eval()


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Hold the network on the CPU and in evaluation mode for the block.

    Afterwards it is on its device again, with the same parameters that require gradients.
    """
    if not isinstance(network, nn.Module):
        raise UserError(
            f"The network is a {type(network).__name__}. "
            "Give a torch.nn.Module that returns logits [n, classes]."
        )
    if network.training:
        log.warning(
            "%s was in training mode. It is interpreted, and left, in evaluation mode.",
            type(network).__name__,
        )
    learned = {parameter: parameter.requires_grad for parameter in network.parameters()}
    device = next((parameter.device for parameter in learned), torch.device("cpu"))
    network.to("cpu").eval()
    try:
        yield
    finally:
        network.to(device)
        for parameter, requires_grad in learned.items():
            parameter.requires_grad_(requires_grad)


def _model(
    network: nn.Module,
    layers: Sequence[str],
    n_attributes: int,
    facts: DataFacts,
    options: FitOptions,
) -> InterpretableModel:
    predictor = Predictor(network, layers, facts)
    topk = {
        "_target_": "interp_by_design.attributes.TopKDictionary",
        "k": options.active,
        "pooled": 3,
    }
    attributes = {
        "_partial_": True,
        **(dict(options.attributes) or topk),
        "n_attributes": n_attributes,
    }
    spec = InterpreterSpec(attributes, dict(options.interpreter) or usual_interpreter(facts))
    return InterpretableModel(
        predictor,
        build_interpreter(spec, predictor.hidden_shapes, facts, partial(instantiate, trust=True)),
        facts,
        spec,
    )


def usual_interpreter(facts: DataFacts) -> dict[str, Any]:
    """Return the default interpreter for images of this size.

    Args:
        facts: The facts of the data set.

    Returns:
        The contents of conf/interpreter/linear.yaml, or of convolutional.yaml for large images.
    """
    package = "interp_by_design.interpreter"
    large = max(facts.image_shape[1:]) >= MIN_LARGE_SIDE
    decoder = (
        {"_target_": f"{package}.ConvDecoder", "channels": 32}
        if large
        else {"_target_": f"{package}.DenseDecoder", "width": 128}
    )
    return {
        "_target_": f"{package}.LinearInterpreter",
        "_partial_": True,
        "head": {
            "_target_": f"{package}.LinearHead",
            "_partial_": True,
            "bias": False,
            "dropout": 0.0,
        },
        "decoder": {"_partial_": True, **decoder},
        "frozen_dictionary": False,
    }


def _trainer(options: FitOptions) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=options.epochs,
        accelerator=options.accelerator,
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=options.progress,
        callbacks=[Progress()] if options.progress else [],
        num_sanity_val_steps=0,
    )


def _fit(
    model: InterpretableModel, source: Source, trainer: pl.Trainer, options: FitOptions
) -> None:
    fit_dictionary(model, lambda: source.in_order("train"), options.seed)
    optimizer = partial(AdamW, lr=options.learning_rate, weight_decay=0.01)
    module = PostHoc(
        model, Objective(gamma=options.reconstruction), optimizer, partial(one_cycle, pct_start=0.2)
    )
    try:
        trainer.fit(module, datamodule=source)
    except SystemExit as stopped:  # raised by Lightning on Ctrl-C
        raise KeyboardInterrupt from stopped
    model.cpu()
