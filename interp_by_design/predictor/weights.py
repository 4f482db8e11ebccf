"""Weights from a local file into a network. Knows no network by name, and downloads nothing."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from interp_by_design.terms import UserError

PREFIXES = ("module.", "model.")  # left by DataParallel, and by Lightning modules


def load_weights(network: nn.Module, path: str | Path) -> None:
    """The state dict of `path` into `network`; a class head made for another number of classes is left out, and stays fresh.

    Reads what `torch.save` wrote, `{"state_dict": …}` too, never anything but tensors and plain values, or `.safetensors` where
    that library is there; prefixes `module.` and `model.` are taken off. The class head is the last dense layer or 1x1
    convolution.

    Raises `UserError` for a file that cannot be read, and for one that does not fit, with what is missing, unexpected or of
    another shape.
    """
    given = _named_as_in(network, _tensors(Path(path)))
    wanted = network.state_dict()
    head = _class_head(network)
    if _classes(given, head) != _classes(wanted, head):
        given |= {name: value for name, value in wanted.items() if name.rpartition(".")[0] == head}
    # A count that batch normalisation has kept since PyTorch 0.4, and that hardly anything reads.
    missing = [name for name in wanted if name not in given and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in given if name not in wanted]
    reshaped = [
        f"{name} {list(given[name].shape)} for {list(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    if missing or unexpected or reshaped:
        raise UserError(
            f"The weights in '{path}' are not those of this {type(network).__name__}: {_first(missing)} missing, "
            f"{_first(unexpected)} unexpected, {_first(reshaped)} of another shape. Choose the network that they were saved from."
        )
    network.load_state_dict(given, strict=False)


def _tensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(f"No file of weights '{path.absolute()}'. Give the path of a state dict, or null for random weights.")
    content = _safetensors(path) if path.suffix == ".safetensors" else _saved(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"'{path}' holds {type(content).__name__}; wanted a state dict: names and tensors, from `state_dict()`.")
    return dict(content)


def _saved(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise UserError(
            f"'{path}' cannot be read as plain weights: it is damaged, or holds Python objects, which could run any code. Save "
            "the network's `state_dict()` alone, with torch.save."
        ) from error


def _safetensors(path: Path) -> Any:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as absent:
        raise UserError(f"To read '{path}', `pip install safetensors`, or save the state dict with torch.save.") from absent
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"'{path}' is no file of safetensors, or damaged: {error}.") from error


def _named_as_in(network: nn.Module, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Takes off a prefix that all names have, and the network's own do not."""
    own = network.state_dict().keys()
    for prefix in PREFIXES * 2:  # one may lie in the other
        if given and all(name.startswith(prefix) for name in given) and not any(name.startswith(prefix) for name in own):
            given = {name.removeprefix(prefix): value for name, value in given.items()}
    return given


def _class_head(network: nn.Module) -> str:
    heads = [
        name
        for name, part in network.named_modules()
        if isinstance(part, nn.Linear) or (isinstance(part, nn.Conv2d) and part.kernel_size == (1, 1))
    ]
    return heads[-1] if heads else ""


def _classes(state: Mapping[str, Tensor], head: str) -> int | None:
    weight = state.get(f"{head}.weight")
    return None if weight is None else len(weight)


def _first(names: Sequence[str], shown: int = 3) -> str:
    """How many there are, and which come first."""
    return f"{len(names)}" + (f" ({', '.join(names[:shown])}{', …' if len(names) > shown else ''})" if names else "")
