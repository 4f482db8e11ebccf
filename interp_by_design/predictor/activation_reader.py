"""Reading the activations of any layers of any network, by the means that suits the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import final

import torch
from torch import nn

from interp_by_design.predictor.activation_layout import LayerName, is_submodule
from interp_by_design.predictor.hooks import HookReader, overwrites
from interp_by_design.predictor.modes import uncompiled
from interp_by_design.predictor.probing import layer_names, probing
from interp_by_design.predictor.timm_reader import TimmReader, timm_features
from interp_by_design.terms import ForwardPass, Images, UserError

Means = Callable[[Images], ForwardPass]


@final
class ActivationReader:
    """The logits of one pass and the activations of `layers`, for analysis.

    Any layer can be read, the class head included. A layer is a submodule by its dotted name
    (`layer3`, `features.5`), or an operation as torchvision's feature extraction names it
    (`layer1.0.add`, `layer1.0.relu_1`). Activations are maps [n, c, h, w] or vectors [n, d]: tokens
    become a map of the patches where the network has a grid of them, else a map of one column;
    `blocks.5:prefix` is the vector of class and register tokens.

    The means is chosen once: timm's `forward_intermediates` where it gives the same, else hooks; a
    traced graph for operations. A compiled network is read through the one that was compiled.

    Args:
        network: the network to run, on normalised images.
        layers: names of layers, in the order in which they are returned.
        image_shape: shape (c, h, w) of the network's input.
        inputs: read what the layers take, the first argument of each, in place of their outputs.

    Attributes:
        shapes: the shape of each activation without the batch axis, from a pass over noise that
            leaves the network unchanged.

    Raises:
        UserError: no layer is given, or one twice; a layer never fires, fires several times, or
            gives no maps, vectors or tokens; the inputs of an operation are asked for; the network
            gives no logits [n, C] or does not take such images.
        UnknownName: a layer does not exist.

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> read = ActivationReader(network, ["1", "3"], (1, 2, 2), inputs=True)
    >>> [tuple(hidden.shape) for hidden in read(torch.rand(5, 1, 2, 2)).hidden]
    [(5, 4), (5, 3)]
    """

    def __init__(
        self,
        network: nn.Module,
        layers: Sequence[str],
        image_shape: tuple[int, int, int],
        inputs: bool = False,
    ) -> None:
        network = uncompiled(network)
        with probing(network, image_shape) as images:
            self.means = choose_means(network, layers, images, inputs)
            self.shapes = [hidden.shape[1:] for hidden in self.means(images).hidden]

    def __call__(self, images: Images) -> ForwardPass:
        return self.means(images)


def choose_means(
    network: nn.Module, layers: Sequence[str], images: Images, inputs: bool = False
) -> Means:
    """Return the reader of a network's layers that suits the network.

    Args:
        network: the network to run.
        layers: names of layers, in the order in which they are returned.
        images: network input [n, c, h, w] of the trial passes.
        inputs: read what the layers take in place of their outputs.

    Raises:
        UserError: no layer is given, or one twice, or a layer cannot be read in this way.
        UnknownName: a layer does not exist.
    """
    if not layers or len(set(layers)) < len(layers):
        raise UserError(
            f"hidden_layers needs at least one layer and each only once, not {list(layers)}."
        )
    if inputs:
        return _input_means(network, layers)
    paths = [LayerName.parse(name).path for name in layers]
    submodules = [
        name for name, path in zip(layers, paths, strict=True) if is_submodule(network, path)
    ]
    if len(submodules) < len(layers):
        return _graph_means(network, layers, submodules, images)
    copy = overwrites(network, layers, images)
    features = timm_features(network, images)
    if features.keys() & paths:
        with suppress(UserError):  # a container, such as `blocks`, is never called by it
            means = TimmReader(network, layers, features, copy)
            means(images)
            return means
    return HookReader(network, layers, copy)


def _input_means(network: nn.Module, layers: Sequence[str]) -> Means:
    for name in layers:
        if not is_submodule(network, LayerName.parse(name).path):
            raise UserError(
                f"The inputs of '{name}' cannot be read: it is no submodule of "
                f"{type(network).__name__}. Read the outputs of its predecessors in `layer_graph`."
            )
    # Always a copy: a layer may write over its own input.
    return HookReader(network, layers, copy=True, inputs=True)


def _graph_means(
    network: nn.Module, layers: Sequence[str], submodules: Sequence[str], images: Images
) -> Means:
    # Imports torchvision, which takes a second.
    from interp_by_design.predictor.graph_reader import GraphReader

    means = GraphReader(network, layers)
    found, wanted = means(images), HookReader(network, submodules, copy=True)(images)
    read = (output for name, output in zip(layers, found.hidden, strict=True) if name in submodules)
    same = (
        torch.allclose(one, other, rtol=1e-4, atol=1e-5)
        for one, other in zip(read, wanted.hidden, strict=True)
    )
    if not torch.allclose(found.logits, wanted.logits, rtol=1e-4, atol=1e-5) or not all(same):
        raise UserError(
            f"The traced graph of {type(network).__name__} does not compute what the network does, "
            "so that its operations cannot be read. Choose submodules, such as "
            f"{layer_names(network, layers[0])[:-1]}."
        )
    return means
