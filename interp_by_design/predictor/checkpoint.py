"""A network from nothing but a file of its weights, and networks by a name that says whose they are."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from interp_by_design.predictor.architectures import OURS, recognised
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
    """The network whose weights are in `path`, as it was saved: its class head decides among `n_classes`.

    name: which it is, as `named_network` takes it; None recognises it by the names and shapes of its weights.
    load: false leaves the weights random, for those who overwrite them all.

    Raises `UserError` for a file that cannot be read, is not recognised, or does not fit, and for another number of classes.
    """
    if path is None:
        if name is None:
            raise UserError(
                "Without predictor.path, no network can be recognised: give the file of its weights, or predictor.name."
            )
        return named_network(name, image_shape, n_classes)
    state = read_weights(path) if load or name is None else {}
    network = named_network(
        name or recognised(state, image_shape, Path(path).name), image_shape, n_classes
    )
    if load:
        load_state(network, state, Path(path).name, fresh_head=False)
    return network


def named_network(name: str, image_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
    """`resnet20`, 32, 44 or 56 (`NarrowResNet`), `torchvision/<name>` or `timm/<name>`, with random weights.

    Raises `UnknownName` for any other name.
    """
    owner, _, own = name.rpartition("/")
    if owner == "torchvision":
        return torchvision_network(image_shape, n_classes, own)
    if owner == "timm":
        return timm_network(image_shape, n_classes, own)
    if name not in OURS:
        raise UnknownName.among("network", name, [*OURS, "torchvision/<name>", "timm/<name>"])
    return NarrowResNet(image_shape, n_classes, OURS[name])
