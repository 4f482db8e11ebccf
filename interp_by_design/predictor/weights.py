"""Loading weights into a network by name, and comparing sets of weights."""

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

# The names under which training scripts hold a network.
WRAPPERS = {"module", "model", "net", "network", "predictor", "backbone", "encoder"}
RENAMED = (
    (re.compile(r"_orig_mod\."), ""),  # left in names by torch.compile
    # DenseNet's names of PyTorch 0.3, which torchvision still publishes.
    (re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)"), r"\1"),
)
MAX_LISTED = 3  # names of each kind that a message lists


def load_weights(network: nn.Module, path: str | Path, fresh_head: bool = True) -> None:
    """Load the weights of a file into a network, under any prefix that their names have there.

    The class head is the last dense layer or 1x1 convolution, and each other one with as many
    outputs.

    Args:
        network: the network to load into.
        path: a file that `read_weights` reads.
        fresh_head: leave out a class head for another number of classes, and keep the network's
            own. False makes that an error: an interpreter of it would explain nothing.

    Raises:
        UserError: the file cannot be read, or does not fit; then nothing is loaded, and the message
            lists what is missing, unexpected or of another shape.
    """
    load_state(network, read_weights(path), Path(path).name, fresh_head)


def load_state(
    network: nn.Module, state: Mapping[str, Tensor], source: str, fresh_head: bool = True
) -> None:
    """Load a state dict into a network, as `load_weights` does.

    Args:
        network: the network to load into.
        state: weights by name.
        source: where they come from, for messages.
        fresh_head: whether to leave out a class head for another number of classes.

    Raises:
        UserError: the weights do not fit; then nothing is loaded.
    """
    own, name = network.state_dict(), type(network).__name__
    loaded, prefix, rest = match_names(own, state, source)
    if rest:
        log.info("Ignored in '%s', as not under '%s': %s", source, prefix, _shortened(rest))
    found, wanted = n_outputs(loaded, class_head(network)), n_outputs(own, class_head(network))
    drawn = ""
    if found is not None and found != wanted:
        if not fresh_head:
            raise class_count_error(f"'{source}'", found, wanted)
        loaded |= _class_heads(network, own, loaded)
        drawn = (
            f" but the class head: that is for {found} classes, and a new one for {wanted} is drawn"
        )
    if wrong := mismatches(own, with_batch_counts(loaded, own)):
        raise UserError(
            f"The weights in '{source}' are not those of this {name}: {'; '.join(wrong)}. "
            "Choose the network that they were saved from."
        )
    network.load_state_dict(loaded, strict=False)
    log.info("%d tensors from '%s', all that %s has%s", len(loaded), source, name, drawn)


def class_count_error(owner: str, found: int, wanted: int | None) -> UserError:
    """Return the error for a network that decides among another number of classes than the data.

    Args:
        owner: the network, or its weights, in the message.
        found: its number of classes.
        wanted: the data's number of classes.
    """
    return UserError(
        f"The class head of {owner} is for {found} classes, and the data has {wanted}. To explain "
        f"it, give data with all {found} class names, also those without an image "
        "(data.classes=<a file with a class name a line>), or weights for "
        f"{wanted} classes. To train on with a fresh class head, give them as predictor.weights= "
        "to learning=by_design."
    )


def mismatches(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Describe how two sets of weights differ in names and shapes.

    Args:
        wanted: the network's own weights.
        found: the weights to load.

    Returns:
        One phrase for each kind of difference; empty where `found` can be loaded.

    >>> mismatches({"a": torch.zeros(2)}, {"a": torch.zeros(3), "b": torch.zeros(1)})
    ['unexpected: b', "of another shape: a (3, the model's is 2)"]
    """
    names = {
        "missing": [key for key in wanted if key not in found],
        "unexpected": [key for key in found if key not in wanted],
        "of another shape": [
            f"{key} ({_size(found[key])}, the model's is {_size(value)})"
            for key, value in wanted.items()
            if key in found and found[key].shape != value.shape
        ],
    }
    return [f"{kind}: {_shortened(keys)}" for kind, keys in names.items() if keys]


class MatchedWeights(NamedTuple):
    """Weights under a network's names.

    Args:
        weights: the weights, without the prefix that their names had.
        prefix: the prefix.
        rest: names of all weights without the prefix.
    """

    weights: dict[str, Tensor]
    prefix: str
    rest: list[str]


def match_names(wanted: Iterable[str], state: Mapping[str, Tensor], source: str) -> MatchedWeights:
    """Remove the prefix under which most of the wanted names are found.

    Args:
        wanted: the network's names.
        state: weights by name.
        source: where they come from, for messages.

    Raises:
        UserError: they are found under several prefixes, as with a teacher and a student.
    """
    names = set(wanted)
    for old, new in RENAMED:
        if not any(old.search(name) for name in names):
            state = {old.sub(new, name): value for name, value in state.items()}
    prefix = _prefix(names, state, source)
    weights = {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }
    return MatchedWeights(weights, prefix, [name for name in state if not name.startswith(prefix)])


def with_batch_counts(found: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Add the network's own counts of batches, which older files lack and hardly anything reads.

    Args:
        found: the weights to load.
        own: the network's own weights.
    """
    counts = {key: value for key, value in own.items() if key.endswith("num_batches_tracked")}
    return counts | dict(found)


def class_head(network: nn.Module) -> str:
    """Return the name of the last dense layer or 1x1 convolution; empty where there is none.

    Args:
        network: the network to search.
    """
    heads = [name for name, part in network.named_modules() if _may_be_head(part)]
    return heads[-1] if heads else ""


def n_outputs(state: Mapping[str, Tensor], layer: str) -> int | None:
    """Return the number of outputs of a layer, from its weights; None where there are none.

    Args:
        state: weights by name.
        layer: the layer's dotted name, empty for a network that is one layer.
    """
    weight = state.get(f"{layer}.weight" if layer else "weight")
    return None if weight is None else len(weight)


def name_starts(key: str) -> list[int]:
    """Return where a dotted name may begin without its first parts.

    Args:
        key: a dotted name.

    >>> name_starts("net.fc.bias")
    [0, 4, 7]
    """
    return [0, *(place + 1 for place, letter in enumerate(key) if letter == ".")]


def weights_hash(module: nn.Module) -> str:
    """Return the SHA-256 of a module's weights: of their names, types, shapes and bytes.

    It is the same on any device, and for a compiled module.

    Args:
        module: the module to hash.

    Returns:
        The hash as 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        if isinstance(value, Tensor):
            name = name.replace("_orig_mod.", "")
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            flat = value.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _prefix(names: set[str], state: Mapping[str, Tensor], source: str) -> str:
    found = Counter(
        key[:start] for key in state for start in name_starts(key) if key[start:] in names
    )
    most = max(found.values(), default=0)
    best = [prefix for prefix, count in found.items() if count == most]
    usual = [prefix for prefix in best if WRAPPERS.issuperset(prefix.split(".")[:-1])] or best
    if len(usual) > 1 and "" not in usual and 2 * most > len(names):
        raise UserError(
            f"'{source}' holds the network more than once, under "
            f"{' and '.join(map(repr, usual[:MAX_LISTED]))}. "
            "Save the `state_dict()` of the one that is meant."
        )
    return "" if "" in usual or not usual else usual[0]


def _class_heads(
    network: nn.Module, own: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the class head's weights, and those of auxiliary heads, as GoogLeNet has them."""
    head = class_head(network)
    outputs = n_outputs(own, head), n_outputs(found, head)
    heads = {name for name, part in network.named_modules() if _may_be_head(part)}
    fresh = {name for name in heads if (n_outputs(own, name), n_outputs(found, name)) == outputs}
    return {key: value for key, value in own.items() if key.rpartition(".")[0] in fresh}


def _may_be_head(part: nn.Module) -> bool:
    return isinstance(part, nn.Linear) or (
        isinstance(part, nn.Conv2d) and part.kernel_size == (1, 1)
    )


def _size(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def _shortened(names: list[str]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more
