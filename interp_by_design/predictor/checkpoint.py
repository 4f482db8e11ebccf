"""Networks from a file of weights alone, and networks by name."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from interp_by_design.predictor.architectures import NARROW_RESNETS, match_architecture
from interp_by_design.predictor.resnet import NarrowResNet
from interp_by_design.predictor.timm_networks import timm_network
from interp_by_design.predictor.torchvision_networks import torchvision_network
from interp_by_design.predictor.weight_files import read_weights
from interp_by_design.predictor.weights import load_state
from interp_by_design.terms import UnknownName, UserError


def checkpoint_network(
    image_shape: tuple[int, int, int],
    n_classes: int,
    path: str | Path | None,
    name: str | None = None,
    load: bool = True,
) -> nn.Module:
    """Return the network whose weights are in a file, class head included.

    Args:
        image_shape: shape (c, h, w) of the network's input.
        n_classes: number of classes that it decides among.
        path: the file of its weights; None for random ones.
        name: which network it is, as `named_network` takes it; None matches names and shapes.
        load: False leaves the weights random.

    Raises:
        UserError: the file cannot be read, matches no network or does not fit, or is for another
            number of classes; neither path nor name is given.
        UnknownName: the name is unknown.
    """
    if path is None:
        if name is None:
            raise UserError(
                "Without predictor.path, no network can be matched: give the file of its weights, "
                "or predictor.name."
            )
        return named_network(name, image_shape, n_classes)
    state = read_weights(path) if load or name is None else {}
    network = named_network(
        name or match_architecture(state, image_shape, Path(path).name), image_shape, n_classes
    )
    if load:
        load_state(network, state, Path(path).name, fresh_head=False)
    return network


def named_network(name: str, image_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
    """Return a network with random weights.

    Args:
        name: `resnet20`, 32, 44 or 56 (`NarrowResNet`), `torchvision/<name>` or `timm/<name>`.
        image_shape: shape (c, h, w) of the network's input.
        n_classes: number of classes that it decides among.

    Raises:
        UnknownName: the name is unknown.

    >>> type(named_network("resnet20", (3, 32, 32), 10)).__name__
    'NarrowResNet'
    """
    owner, _, own = name.rpartition("/")
    if owner == "torchvision":
        return torchvision_network(image_shape, n_classes, own)
    if owner == "timm":
        return timm_network(image_shape, n_classes, own)
    if name not in NARROW_RESNETS:
        known = [*NARROW_RESNETS, "torchvision/<name>", "timm/<name>"]
        raise UnknownName.among("network", name, known)
    return NarrowResNet(image_shape, n_classes, NARROW_RESNETS[name])
