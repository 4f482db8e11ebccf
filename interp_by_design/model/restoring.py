"""An interpreter back from the folder or the repository it was saved in, onto the network that it was fitted to."""

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

from interp_by_design.files import reading
from interp_by_design.interpreter import Interpreter, build_interpreter, instantiate
from interp_by_design.model.config import Config, name_of
from interp_by_design.model.saving import CONFIG, FILES, WEIGHTS
from interp_by_design.predictor import Predictor, evaluating, mismatches, weights_hash
from interp_by_design.terms import UnknownName, UserError

DOWNLOAD = ("revision", "token", "cache_dir", "force_download", "local_files_only")
SHOWN = 12  # digits of a hash


def fetched(source: str | Path, download: Mapping[str, Any]) -> Path:
    """The folder `source`, or a copy of the Hub's repository of that name; `UserError` where there is no saved interpreter."""
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
        except (
            OSError,
            ValueError,
        ) as error:  # no such repository, no right to it, no network, no name of one
            raise UserError(
                f"'{source}' is neither a folder nor a repository of the Hugging Face Hub that can be read: {error}"
            ) from error
    if lacking := [name for name in (WEIGHTS, CONFIG) if not (folder / name).is_file()]:
        raise UserError(
            f"{folder} holds no saved interpreter: it lacks {' and '.join(lacking)}. Give one that does."
        )
    return folder


def restored(
    folder: Path, given: nn.Module | None, check_weights: bool, trust: bool
) -> tuple[Predictor, Interpreter, Config]:
    """The saved interpreter on the network `given`, on its device. Raises `UserError` for a network that does not fit."""
    config = Config.read(folder / CONFIG)
    network = _network(given, config, folder)
    if check_weights and (found := weights_hash(network)) != config.predictor.weights_sha256:
        raise UserError(
            f"The interpreter in {folder} was not fitted to this network: the weights of {config.predictor.network} had SHA-256 "
            f"{config.predictor.weights_sha256[:SHOWN]}, and those of this {name_of(network)} have {found[:SHOWN]}. Give the "
            "network with the weights that it was fitted to; check_weights=False accepts others, such as a fine-tuned copy's."
        )
    with torch.random.fork_rng(
        devices=[]
    ):  # building draws weights; the caller's random state stays as it was
        predictor = _predictor(given, network, config, folder)
        try:
            interpreter = build_interpreter(
                config.spec,
                predictor.hidden_shapes,
                config.facts,
                partial(instantiate, trust=trust),
            )
        except UserError as error:
            raise UserError(f"What {folder / CONFIG} tells of cannot be built: {error}") from error
    _fill(interpreter, folder / WEIGHTS, config)
    return predictor, interpreter.to(_place(network)), config


def _network(given: object, config: Config, folder: Path) -> nn.Module:
    wanted = f"{config.predictor.network}, with weights of SHA-256 {config.predictor.weights_sha256[:SHOWN]}"
    if given is None:
        raise UserError(
            f"{folder} holds an interpreter, and not its network. Give that too, predictor=network: {wanted}."
        )
    if not isinstance(given, nn.Module):
        raise UserError(
            f"predictor is a {type(given).__name__}; wanted a torch.nn.Module: {wanted}."
        )
    return given.network if isinstance(given, Predictor) else given


def _predictor(given: object, network: nn.Module, config: Config, folder: Path) -> Predictor:
    """The network, read as the interpreter wants it; refused where its hidden layers or classes are others."""
    wanted = config.predictor
    if not isinstance(given, Predictor):
        predictor = Predictor(network, wanted.hidden_layers, config.facts, wanted.preprocessing).to(
            _place(network)
        )
    elif (given.hidden_layers, given.preprocessing) == (wanted.hidden_layers, wanted.preprocessing):
        predictor = given
    else:
        raise UserError(
            f"This predictor reads {given.hidden_layers} with {given.preprocessing}; the interpreter in {folder} was fitted "
            f"to {wanted.hidden_layers} with {wanted.preprocessing}. Give the predictor's network."
        )
    found = _sizes(predictor, config.facts.image_shape)
    sizes = (config.facts.n_classes, wanted.hidden_shapes)
    if found != sizes:
        raise UserError(
            f"This {name_of(network)} has {found[0]} classes, and hidden layers {wanted.hidden_layers} of {found[1]}; what the "
            f"interpreter of {folder / CONFIG} was fitted to has {sizes[0]}, and {sizes[1]}. Give that network."
        )
    return predictor


def _sizes(
    predictor: Predictor, image_shape: tuple[int, int, int]
) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """How many classes there are, and the shapes of the hidden layers."""
    like = next(
        (weight for weight in predictor.network.parameters() if weight.is_floating_point()),
        torch.zeros(0),
    )
    with evaluating(predictor), torch.no_grad():
        n_classes = predictor(torch.zeros(2, *image_shape).to(like)).logits.shape[1]
    return n_classes, tuple(tuple(shape) for shape in predictor.hidden_shapes)


def _fill(interpreter: Interpreter, file: Path, config: Config) -> None:
    """The weights in `file` into `interpreter`, in their own precision."""
    with reading(file):
        content = file.read_bytes()
        if sha256(content).hexdigest() != config.interpreter_sha256:
            raise UserError(f"it is not the one that {CONFIG} was written with")
        state = deserialised(content)
    if wrong := mismatches(interpreter.state_dict(), state):
        raise UserError(
            f"{file} holds another interpreter than {CONFIG} beside it tells of: {'; '.join(wrong)}. Save it again."
        )
    precision = next(
        (value.dtype for value in state.values() if value.is_floating_point()), torch.float32
    )
    interpreter.to(precision).load_state_dict(state)


def _place(network: nn.Module) -> torch.device:
    return next((weight.device for weight in network.parameters()), torch.device("cpu"))
