"""Weights into a network, by name, and what tells one set of weights from another. Knows no network by name."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from interp_by_design.predictor.weight_files import read_weights
from interp_by_design.terms import UserError

log = logging.getLogger(__name__)

WRAPPED = {
    "module",
    "model",
    "net",
    "network",
    "predictor",
    "backbone",
    "encoder",
}  # what others hold a network as
RENAMED = (
    (re.compile(r"_orig_mod\."), ""),  # left in names by torch.compile
    (
        re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)"),
        r"\1",
    ),  # DenseNet's of PyTorch 0.3, which torchvision still hands out
)
LISTED = 3  # names of each kind that a message lists


def load_weights(network: nn.Module, path: str | Path, fresh_head: bool = True) -> None:
    """The weights of `path` into `network`: whatever `read_weights` reads, under whatever prefix the network's names have there.

    With `fresh_head`, a class head for another number of classes is left out, and stays as it was drawn. Without it, that is an
    error: an interpreter fitted to such a network would explain nothing. The class head is the last dense layer or 1x1
    convolution, and each other one with as many outputs.

    Raises `UserError` for a file that cannot be read, and for one that does not fit, with what is missing, unexpected or of
    another shape; then nothing is loaded.
    """
    load_state(network, read_weights(path), Path(path).name, fresh_head)


def load_state(
    network: nn.Module, state: Mapping[str, Tensor], source: str, fresh_head: bool = True
) -> None:
    """As `load_weights`, for weights that were read before; `source` names them in messages."""
    own, name = network.state_dict(), type(network).__name__
    given, prefix, rest = named_as(own, state, source)
    if rest:
        log.info("Left aside in '%s', as not under '%s': %s", source, prefix, _first(rest))
    found, wanted = n_outputs(given, class_head(network)), n_outputs(own, class_head(network))
    drawn = ""
    if found is not None and found != wanted:
        if not fresh_head:
            raise other_classes(f"'{source}'", found, wanted)
        given |= _class_heads(network, own, given)
        drawn = f" but the class head: that is for {found} classes, and one for {wanted} is drawn afresh"
    if found_wrong := misfits(own, complete(given, own)):
        raise UserError(
            f"The weights in '{source}' are not those of this {name}: {'; '.join(found_wrong)}. "
            "Choose the network that they were saved from."
        )
    network.load_state_dict(given, strict=False)
    log.info("%d tensors from '%s', all that %s has%s", len(given), source, name, drawn)


def other_classes(owner: str, found: int, wanted: int | None) -> UserError:
    """The error for a network, or weights, of `owner` that decide among another number of classes than the data has."""
    return UserError(
        f"The class head of {owner} is for {found} classes, and the data has {wanted}. To explain it, give data with all {found} "
        f"class names, also those without an image (data.classes=<a file with a class name a line>), or weights for {wanted} "
        "classes. To train on with a fresh class head, give them as predictor.weights= to learning=by_design."
    )


def misfits(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """In words, where the weights `found` are not those that are `wanted`; empty where they can be loaded."""
    names = {
        "missing": [key for key in wanted if key not in found],
        "unexpected": [key for key in found if key not in wanted],
        "of another shape": [
            f"{key} ({_size(found[key])}, the model's is {_size(value)})"
            for key, value in wanted.items()
            if key in found and found[key].shape != value.shape
        ],
    }
    return [f"{kind}: {_first(keys)}" for kind, keys in names.items() if keys]


class Named(NamedTuple):
    """Weights by a network's names, the prefix that was taken off, and the names of all that does not have it."""

    weights: dict[str, Tensor]
    prefix: str
    rest: list[str]


def named_as(wanted: Iterable[str], state: Mapping[str, Tensor], source: str) -> Named:
    """`state` without the prefix under which most of the `wanted` names are found.

    Raises `UserError` where they are found under several, as with a teacher and a student.
    """
    names = set(wanted)
    for old, new in RENAMED:
        if not any(old.search(name) for name in names):
            state = {old.sub(new, name): value for name, value in state.items()}
    prefix = _prefix(names, state, source)
    weights = {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }
    return Named(weights, prefix, [name for name in state if not name.startswith(prefix)])


def complete(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`given`, with the network's `own` counts of batches where older files have none; hardly anything reads them."""
    return {key: value for key, value in own.items() if key.endswith("num_batches_tracked")} | dict(
        given
    )


def class_head(network: nn.Module) -> str:
    """The name of the last dense layer or 1x1 convolution; empty where there is none."""
    return next(
        reversed([name for name, part in network.named_modules() if _may_be_head(part)]), ""
    )


def n_outputs(state: Mapping[str, Tensor], layer: str) -> int | None:
    """How many outputs the weights of `layer` give; None where there are none."""
    weight = state.get(f"{layer}.weight" if layer else "weight")
    return None if weight is None else len(weight)


def weights_hash(module: nn.Module) -> str:
    """SHA-256, in hex, over names, types, shapes and bytes of the state dict: the same on any device, and when compiled."""
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        if isinstance(value, Tensor):
            digest.update(
                f"{name.replace('_orig_mod.', '')} {value.dtype} {tuple(value.shape)}\n".encode()
            )
            digest.update(
                value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
            )
    return digest.hexdigest()


def _prefix(names: set[str], state: Mapping[str, Tensor], source: str) -> str:
    found = Counter(key[:start] for key in state for start in starts(key) if key[start:] in names)
    most = max(found.values(), default=0)
    best = [prefix for prefix, count in found.items() if count == most]
    usual = [prefix for prefix in best if WRAPPED.issuperset(prefix.split(".")[:-1])] or best
    if len(usual) > 1 and "" not in usual and 2 * most > len(names):
        raise UserError(
            f"'{source}' holds the network more than once, under {' and '.join(map(repr, usual[:LISTED]))}. "
            "Save the `state_dict()` of the one that is meant."
        )
    return "" if "" in usual or not usual else usual[0]


def starts(key: str) -> list[int]:
    """Where a name without its first parts may begin."""
    return [0, *(place + 1 for place, letter in enumerate(key) if letter == ".")]


def _class_heads(
    network: nn.Module, own: Mapping[str, Tensor], given: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The network's own class head, and the heads beside it, as GoogLeNet has them: with as many outputs here and there."""
    head = class_head(network)
    outputs = n_outputs(own, head), n_outputs(given, head)
    heads = {name for name, part in network.named_modules() if _may_be_head(part)}
    fresh = {name for name in heads if (n_outputs(own, name), n_outputs(given, name)) == outputs}
    return {key: value for key, value in own.items() if key.rpartition(".")[0] in fresh}


def _may_be_head(part: nn.Module) -> bool:
    return isinstance(part, nn.Linear) or (
        isinstance(part, nn.Conv2d) and part.kernel_size == (1, 1)
    )


def _size(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def _first(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
