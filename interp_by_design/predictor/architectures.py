"""Which network weights belong to, by their names and shapes: the house's ResNets, then torchvision's classifiers.

Networks of timm are not searched: many of them share all names and shapes and differ in what they compute.
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
    complete,
    misfits,
    n_outputs,
    named_as,
    starts,
)
from interp_by_design.terms import UserError

log = logging.getLogger(__name__)

OURS = {"resnet20": 20, "resnet32": 32, "resnet44": 44, "resnet56": 56}  # name: depth
BUFFERS = (
    "running_mean",
    "running_var",
    "num_batches_tracked",
    "relative_position_index",
    "relative_coords_table",
)
AUXILIARY = (
    "aux1.",
    "aux2.",
    "AuxLogits.",
)  # heads that torchvision leaves out of a network's size
NEAREST = 5  # networks that a message names
PUBLISHED = 1000  # classes of the networks whose sizes are published
TRIED = 15  # networks of about the same size, among which the nearest are sought


class _Known(NamedTuple):
    """A network that may be meant: how it is made for a number of classes, and its published numbers of parameters."""

    name: str
    make: Callable[[int], nn.Module]
    sizes: frozenset[int] = frozenset()


def recognised(state: Mapping[str, Tensor], image_shape: tuple[int, int, int], source: str) -> str:
    """The name, as `named_network` takes it, of the network that has just these weights; `source` names them in messages.

    Raises `UserError` where none has, with those that share most names.
    """
    ours = [_Known(name, _ours(depth, image_shape)) for name, depth in OURS.items()]
    for known in ours:
        if _fits(known, state, source):
            return _told(known.name, source)
    theirs, sizes = _torchvision(image_shape), _sizes(state)
    for known in theirs:
        if known.sizes & sizes and _fits(known, state, source):
            return _told(known.name, source)
    raise UserError(
        f"'{source}' holds the weights of no network that is known by sight. Say whose they are: predictor.name=…, or "
        f"predictor.network for one of your own. Nearest by their names: {_nearest([*ours, *theirs], state, source)}."
    )


def _told(name: str, source: str) -> str:
    log.info("'%s' holds the weights of %s", source, name)
    return name


def _ours(depth: int, image_shape: tuple[int, int, int]) -> Callable[[int], nn.Module]:
    return lambda n_classes: NarrowResNet(image_shape, n_classes, depth)


def _torchvision(image_shape: tuple[int, int, int]) -> list[_Known]:
    if image_shape[0] != 3:
        return []
    from torchvision import models  # a second's work

    def make(name: str) -> Callable[[int], nn.Module]:
        return lambda n_classes: models.get_model(name, weights=None, num_classes=n_classes)

    def sizes(name: str) -> frozenset[int]:
        return frozenset(weights.meta["num_params"] for weights in models.get_model_weights(name))

    return [
        _Known(f"torchvision/{name}", make(name), sizes(name))
        for name in models.list_models(module=models)
    ]


def _sizes(state: Mapping[str, Tensor]) -> set[int]:
    """What numbers of parameters the network may have with the 1,000 classes of those that are published.

    A cheap look before any network is made: one for each prefix that the network may lie under, each layer that may be its class
    head, with auxiliary heads and without.
    """
    below: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for key, value in state.items():
        for start in starts(key):
            if not key.endswith(BUFFERS):
                below[key[:start]][key[start:]] = value
    sizes: set[int] = set()
    for found in below.values():
        for left_out in ((), AUXILIARY):
            kept = {key: value for key, value in found.items() if not key.startswith(left_out)}
            total = sum(value.numel() for value in kept.values())
            heads = [
                key
                for key, value in kept.items()
                if value.ndim > 1 and value.shape[2:].numel() == 1
            ]
            sizes |= {
                total + (PUBLISHED - len(kept[key])) * (kept[key].shape[1] + _has_bias(kept, key))
                for key in heads
            }
    return sizes


def _has_bias(state: Mapping[str, Tensor], weight: str) -> bool:
    return f"{weight.removesuffix('weight')}bias" in state


def _fits(known: _Known, state: Mapping[str, Tensor], source: str) -> bool:
    network = _outline(known, PUBLISHED)
    own = network.state_dict()
    given = complete(named_as(own, state, source).weights, own)
    n_classes = n_outputs(given, class_head(network))
    if n_classes is None or own.keys() != given.keys():
        return False
    return not misfits(_outline(known, n_classes).state_dict(), given)


def _outline(known: _Known, n_classes: int) -> nn.Module:
    """The network without memory for its weights; a few must be made with it."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # GoogLeNet and Inception, on how they draw weights
        try:
            with torch.device("meta"):
                return known.make(n_classes)
        except NotImplementedError:  # RegNet computes its widths by tensors
            return known.make(n_classes)


def _nearest(known: list[_Known], state: Mapping[str, Tensor], source: str) -> str:
    """Those that share most names, among those of about the same size."""
    total = sum(value.numel() for value in state.values())
    tried = sorted(
        known, key=lambda one: min((abs(size - total) for size in one.sizes), default=0)
    )[:TRIED]
    shared = []
    for one in tried:
        wanted = _outline(one, PUBLISHED).state_dict().keys()
        shared.append(
            (len(wanted & named_as(wanted, state, source).weights.keys()), len(wanted), one.name)
        )
    best = sorted(shared, reverse=True)[:NEAREST]
    return ", ".join(f"{name} ({n} of {total} names)" for n, total, name in best)
