"""Reading files of weights as one flat state dict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from interp_by_design.terms import UserError

# The keys under which training scripts save a state dict.
WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net")
MAX_LISTED = 5  # names that a message lists


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name.

    A state dict may lie in other dicts, as in `{"state_dict": …, "epoch": 3}`. Only tensors and
    plain values are read, never code.

    Args:
        path: a file of `torch.save`, a Lightning checkpoint, or a file of safetensors.

    Raises:
        UserError: the file does not exist, is damaged, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"No file of weights '{path.absolute()}'. Give the path of a state dict.")
    content = _unwrapped(_safetensors(path) if path.suffix == ".safetensors" else _saved(path))
    if (
        not isinstance(content, Mapping)
        or not content
        or not all(isinstance(value, Tensor) for value in content.values())
    ):
        raise UserError(
            f"'{path}' holds {_kind(content)}; wanted a state dict: names and tensors, from "
            "`state_dict()`."
        )
    return dict(content)


def _unwrapped(content: Any) -> Any:
    while isinstance(content, Mapping):
        inner = next(
            (content[key] for key in WRAPPERS if isinstance(content.get(key), Mapping)), None
        )
        if inner is None:
            break
        content = inner
    return content


def _saved(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file of anything makes its reader fail in any way
        raise UserError(
            f"'{path}' cannot be read as plain weights: it is damaged, or holds Python objects, "
            "which could run any code. Save the network's `state_dict()` alone, with torch.save."
        ) from error


def _safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"'{path}' is no file of safetensors, or damaged: {error}.") from error


def _kind(content: Any) -> str:
    if not isinstance(content, Mapping):
        return type(content).__name__
    names = [str(name) for name in content]
    if not names:
        return "an empty dict"
    more = ", …" if len(names) > MAX_LISTED else ""
    return f"a {type(content).__name__} of {', '.join(names[:MAX_LISTED])}{more}"
