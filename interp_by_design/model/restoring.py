"""Loading a saved interpreter onto its network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from safetensors.torch import load as deserialised
from torch import nn

from interp_by_design.files import reporting_damage
from interp_by_design.interpreter import Interpreter, build_interpreter, instantiate
from interp_by_design.model.config import Config, name_of
from interp_by_design.model.saving import CONFIG, FILES, WEIGHTS
from interp_by_design.predictor import Predictor, evaluating, mismatches, weights_hash
from interp_by_design.terms import UnknownName, UserError

DOWNLOAD = ("revision", "token", "cache_dir", "force_download", "local_files_only")
N_DIGITS = 12  # shown of a hash


def fetched(source: str | Path, download: Mapping[str, Any]) -> Path:
    """Return the folder of a saved interpreter, downloaded if needed.

    Args:
        source: A folder, or a repository of the Hugging Face Hub.
        download: Options of the download, those of `DOWNLOAD`.

    Raises:
        UserError: If there is no saved interpreter, or an option is unknown.
    """
    for name in download:
        if name not in DOWNLOAD:
            raise UnknownName.among(
                "option",
                name,
                ["predictor", "check_weights", "trust", *DOWNLOAD],
                owner="from_pretrained",
            )
    folder = Path(source)
    if not folder.is_dir():
        try:
            folder = Path(snapshot_download(str(source), allow_patterns=list(FILES), **download))
        except (OSError, ValueError) as error:  # no such repository, no access, no network
            raise UserError(
                f"'{source}' is neither a folder nor a repository of the Hugging Face Hub that "
                f"can be read: {error}"
            ) from error
    if lacking := [name for name in (WEIGHTS, CONFIG) if not (folder / name).is_file()]:
        raise UserError(
            f"{folder} holds no saved interpreter: it lacks {' and '.join(lacking)}. "
            "Give one that does."
        )
    return folder


def restored(
    folder: Path, given: nn.Module | None, check_weights: bool, trust: bool
) -> tuple[Predictor, Interpreter, Config]:
    """Load an interpreter onto a network.

    Args:
        folder: Where it is saved.
        given: The network, or a `Predictor`.
        check_weights: Whether the network must have the weights of the fit.
        trust: Whether classes from outside this package are accepted.

    Returns:
        f, g on the device of f, and what config.json says.

    Raises:
        UserError: If the network does not fit, or a file is damaged.
    """
    config = Config.read(folder / CONFIG)
    network = _network(given, config, folder)
    if check_weights and (found := weights_hash(network)) != config.predictor.weights_sha256:
        raise UserError(
            f"The interpreter in {folder} was not fitted to this network: the weights of "
            f"{config.predictor.network} had SHA-256 {config.predictor.weights_sha256[:N_DIGITS]}, "
            f"and those of this {name_of(network)} have {found[:N_DIGITS]}. Give the network with "
            "the weights that it was fitted to; check_weights=False accepts others, such as a "
            "fine-tuned copy's."
        )
    with torch.random.fork_rng(devices=[]):  # building draws weights
        predictor = _predictor(given, network, config, folder)
        try:
            interpreter = build_interpreter(
                config.spec,
                predictor.hidden_shapes,
                config.facts,
                partial(instantiate, trust=trust),
            )
        except UserError as error:
            raise UserError(f"What {folder / CONFIG} describes cannot be built: {error}") from error
    _fill(interpreter, folder / WEIGHTS, config)
    return predictor, interpreter.to(_place(network)), config


def _network(given: object, config: Config, folder: Path) -> nn.Module:
    digits = config.predictor.weights_sha256[:N_DIGITS]
    wanted = f"{config.predictor.network}, with weights of SHA-256 {digits}"
    if given is None:
        raise UserError(
            f"{folder} holds an interpreter, and not its network. Give that too, "
            f"predictor=network: {wanted}."
        )
    if not isinstance(given, nn.Module):
        raise UserError(
            f"predictor is a {type(given).__name__}; wanted a torch.nn.Module: {wanted}."
        )
    return given.network if isinstance(given, Predictor) else given


def _predictor(given: object, network: nn.Module, config: Config, folder: Path) -> Predictor:
    """Return the network as a predictor with the hidden layers that the interpreter reads."""
    wanted = config.predictor
    if not isinstance(given, Predictor):
        predictor = Predictor(network, wanted.hidden_layers, config.facts, wanted.preprocessing).to(
            _place(network)
        )
    elif (given.hidden_layers, given.preprocessing) == (wanted.hidden_layers, wanted.preprocessing):
        predictor = given
    else:
        raise UserError(
            f"This predictor reads {given.hidden_layers} with {given.preprocessing}; the "
            f"interpreter in {folder} was fitted to {wanted.hidden_layers} with "
            f"{wanted.preprocessing}. Give the predictor's network."
        )
    found = _sizes(predictor, config.facts.image_shape)
    sizes = (config.facts.n_classes, wanted.hidden_shapes)
    if found != sizes:
        raise UserError(
            f"This {name_of(network)} has {found[0]} classes, and hidden layers "
            f"{wanted.hidden_layers} of {found[1]}; what the interpreter of {folder / CONFIG} was "
            f"fitted to has {sizes[0]}, and {sizes[1]}. Give that network."
        )
    return predictor


def _sizes(
    predictor: Predictor, image_shape: tuple[int, int, int]
) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """Return the number of classes, and the shapes of the hidden layers."""
    like = next(
        (weight for weight in predictor.network.parameters() if weight.is_floating_point()),
        torch.zeros(0),
    )
    with evaluating(predictor), torch.no_grad():
        n_classes = predictor(torch.zeros(2, *image_shape).to(like)).logits.shape[1]
    return n_classes, tuple(tuple(shape) for shape in predictor.hidden_shapes)


def _fill(interpreter: Interpreter, file: Path, config: Config) -> None:
    """Load the weights in `file`, in their own precision."""
    with reporting_damage(file):
        content = file.read_bytes()
        if sha256(content).hexdigest() != config.interpreter_sha256:
            raise UserError(f"it is not the one that {CONFIG} was written with")
        state = deserialised(content)
    if wrong := mismatches(interpreter.state_dict(), state):
        raise UserError(
            f"{file} holds another interpreter than {CONFIG} next to it describes: "
            f"{'; '.join(wrong)}. Save it again."
        )
    precision = next(
        (value.dtype for value in state.values() if value.is_floating_point()), torch.float32
    )
    interpreter.to(precision).load_state_dict(state)


def _place(network: nn.Module) -> torch.device:
    return next((weight.device for weight in network.parameters()), torch.device("cpu"))
