"""Architectures that a set of weights may belong to, matched by names and shapes of weights.

The narrow ResNets of this package come first, then torchvision's classifiers. Networks of timm are
not searched: many of them share all names and shapes and differ in what they compute.
"""

from __future__ import annotations

import logging
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from interp_by_design.predictor.resnet import NarrowResNet
from interp_by_design.predictor.weights import (
    class_head,
    match_names,
    mismatches,
    n_outputs,
    name_starts,
    with_batch_counts,
)
from interp_by_design.terms import UserError

log = logging.getLogger(__name__)

# Depths of the narrow ResNets, by name.
NARROW_RESNETS = {"resnet20": 20, "resnet32": 32, "resnet44": 44, "resnet56": 56}
# Endings of names that are no parameters.
BUFFERS = (
    "running_mean",
    "running_var",
    "num_batches_tracked",
    "relative_position_index",
    "relative_coords_table",
)
# Heads that torchvision leaves out of a network's published number of parameters.
AUXILIARY_HEADS = ("aux1.", "aux2.", "AuxLogits.")
N_PUBLISHED_CLASSES = 1000  # of the networks whose numbers of parameters are published
N_SUGGESTIONS = 5  # networks that a message names
N_CANDIDATES = 15  # networks of about the same size, among which the suggestions are sought


class _Architecture(NamedTuple):
    """A network that may be meant.

    Args:
        name: its name, as `named_network` takes it.
        make: returns it for a number of classes.
        sizes: its published numbers of parameters.
    """

    name: str
    make: Callable[[int], nn.Module]
    sizes: frozenset[int] = frozenset()


def match_architecture(
    state: Mapping[str, Tensor], image_shape: tuple[int, int, int], source: str
) -> str:
    """Return the name of the network that has exactly these weights.

    Args:
        state: weights by name.
        image_shape: shape (c, h, w) of the network's input.
        source: where the weights come from, for messages.

    Returns:
        The name, as `named_network` takes it.

    Raises:
        UserError: no network has them; the message names those that share most names.

    >>> match_architecture(NarrowResNet((3, 8, 8), 2).state_dict(), (3, 8, 8), "weights.pth")
    'resnet20'
    """
    narrow = [
        _Architecture(name, _narrow(depth, image_shape)) for name, depth in NARROW_RESNETS.items()
    ]
    for one in narrow:
        if _fits(one, state, source):
            return _logged(one.name, source)
    theirs, sizes = _torchvision(image_shape), _possible_sizes(state)
    for one in theirs:
        if one.sizes & sizes and _fits(one, state, source):
            return _logged(one.name, source)
    raise UserError(
        f"'{source}' holds the weights of no known network. Name the network: predictor.name=…, or "
        "predictor.network for one of your own. Nearest by their names: "
        f"{_nearest([*narrow, *theirs], state, source)}."
    )


def _logged(name: str, source: str) -> str:
    log.info("'%s' holds the weights of %s", source, name)
    return name


def _narrow(depth: int, image_shape: tuple[int, int, int]) -> Callable[[int], nn.Module]:
    return lambda n_classes: NarrowResNet(image_shape, n_classes, depth)


def _torchvision(image_shape: tuple[int, int, int]) -> list[_Architecture]:
    if image_shape[0] != 3:
        return []
    from torchvision import models  # takes a second

    def make(name: str) -> Callable[[int], nn.Module]:
        return lambda n_classes: models.get_model(name, weights=None, num_classes=n_classes)

    def sizes(name: str) -> frozenset[int]:
        return frozenset(weights.meta["num_params"] for weights in models.get_model_weights(name))

    return [
        _Architecture(f"torchvision/{name}", make(name), sizes(name))
        for name in models.list_models(module=models)
    ]


def _possible_sizes(state: Mapping[str, Tensor]) -> set[int]:
    """Return the numbers of parameters that the network may have with 1,000 classes.

    A cheap look before any network is made: one number for each prefix that the network may lie
    under and each layer that may be its class head, with auxiliary heads and without.
    """
    below: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for key, value in state.items():
        for start in name_starts(key):
            if not key.endswith(BUFFERS):
                below[key[:start]][key[start:]] = value
    sizes: set[int] = set()
    for found in below.values():
        for left_out in ((), AUXILIARY_HEADS):
            kept = {key: value for key, value in found.items() if not key.startswith(left_out)}
            total = sum(value.numel() for value in kept.values())
            for key, value in kept.items():
                if value.ndim > 1 and value.shape[2:].numel() == 1:
                    inputs = value.shape[1] + _has_bias(kept, key)
                    sizes.add(total + (N_PUBLISHED_CLASSES - len(value)) * inputs)
    return sizes


def _has_bias(state: Mapping[str, Tensor], weight: str) -> bool:
    return f"{weight.removesuffix('weight')}bias" in state


def _fits(architecture: _Architecture, state: Mapping[str, Tensor], source: str) -> bool:
    network = _outline(architecture, N_PUBLISHED_CLASSES)
    own = network.state_dict()
    found = with_batch_counts(match_names(own, state, source).weights, own)
    n_classes = n_outputs(found, class_head(network))
    if n_classes is None or own.keys() != found.keys():
        return False
    return not mismatches(_outline(architecture, n_classes).state_dict(), found)


def _outline(architecture: _Architecture, n_classes: int) -> nn.Module:
    """Return the network without memory for its weights, where it can be made so."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # GoogLeNet and Inception warn of how they draw their weights.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            with torch.device("meta"):
                return architecture.make(n_classes)
        except NotImplementedError:  # RegNet computes its widths by tensors
            return architecture.make(n_classes)


def _nearest(known: list[_Architecture], state: Mapping[str, Tensor], source: str) -> str:
    """Return the names of those that share most names, among those of about the same size."""
    total = sum(value.numel() for value in state.values())
    candidates = sorted(
        known, key=lambda one: min((abs(size - total) for size in one.sizes), default=0)
    )[:N_CANDIDATES]
    shared = []
    for one in candidates:
        wanted = _outline(one, N_PUBLISHED_CLASSES).state_dict().keys()
        found = match_names(wanted, state, source).weights.keys()
        shared.append((len(wanted & found), len(wanted), one.name))
    best = sorted(shared, reverse=True)[:N_SUGGESTIONS]
    return ", ".join(f"{name} ({n} of {total} names)" for n, total, name in best)
