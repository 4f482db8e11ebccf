"""Reading named hidden layers of any network, by the means that suits it. Knows nothing of what is done with what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import final

import torch
from torch import Tensor, nn

from interp_by_design.predictor.hooks import HookReader, overwrites
from interp_by_design.predictor.layout import LayerName, is_submodule
from interp_by_design.predictor.logits import is_answer, readings
from interp_by_design.predictor.modes import evaluating, uncompiled
from interp_by_design.predictor.timm_reader import TimmReader, timm_features
from interp_by_design.terms import ForwardPass, Images, UserError

Means = Callable[[Images], ForwardPass]
REFUSALS = (
    RuntimeError,
    ValueError,
    TypeError,
    AssertionError,
)  # what networks raise for images that they cannot take


@final
class LayerReader:
    """One pass of `network` over normalised images: its logits and the outputs of `layers`, in the order asked for.

    A layer is a submodule by its dotted name (`layer3`, `features.5`), or an operation as torchvision's feature extraction names
    it (`layer1.0.add`, `layer1.0.relu_1`). It is read as maps [n, c, h, w] or vectors [n, d]: tokens become a map of the patches
    where the network tells their grid, else a map of one column; `blocks.5:prefix` is the vector of class and register tokens.

    The means is chosen once: timm's `forward_intermediates` where it gives the same, else hooks; a traced graph for operations
    alone. Hidden layers of a compiled network are read from the one that was compiled, by its names.

    shapes: the output shape of each layer, without the batch axis, from a pass over noise that leaves the network as it was.
    """

    def __init__(
        self, network: nn.Module, layers: Sequence[str], image_shape: tuple[int, int, int]
    ) -> None:
        """Raises `UnknownName` for a layer that is not there, and `UserError` for no layer, or one that is named twice.

        `UserError` too for a layer that never fires or fires twice, whose output is no tensor of maps, vectors or tokens, or is
        the class head's, since an interpreter that copies the answer explains nothing; for operations of a network that cannot
        be traced; for a network that gives no logits [n, C]; and for images that it cannot take.
        """
        if not layers or len(set(layers)) < len(layers):
            raise UserError(
                f"hidden_layers needs at least one layer and each only once, not {list(layers)}."
            )
        network = uncompiled(network)
        with probing(network, image_shape) as images:
            self.means = _chosen(network, layers, images)
            seen = self.means(images)
        for name, output in zip(layers, seen.hidden, strict=True):
            if is_answer(readings(output), seen.logits):
                raise UserError(
                    f"Layer '{name}' is the class head's output: an interpreter that reads the answer explains nothing. "
                    f"Choose hidden layers before it, such as {_known_layers(network, name)[:-1]}."
                )
        self.shapes = [output.shape[1:] for output in seen.hidden]

    def __call__(self, images: Images) -> ForwardPass:
        """Raises `UserError` for a layer that this pass does not give exactly once, and for a pass that gives no logits."""
        return self.means(images)


@contextmanager
def probing(network: nn.Module, image_shape: tuple[int, int, int]) -> Iterator[Images]:
    """Noise to try the network on, which evaluates and keeps no gradients within the block.

    Raises `UserError` where the block fails because the network does not take such images.
    """
    with evaluating(network), torch.no_grad():
        try:
            yield _noise(network, image_shape)
        except UserError:
            raise
        except REFUSALS as error:
            raise _refused(network, image_shape, error) from error


def _chosen(network: nn.Module, layers: Sequence[str], images: Images) -> Means:
    paths = [LayerName.parse(name).path for name in layers]
    submodules = [
        name for name, path in zip(layers, paths, strict=True) if is_submodule(network, path)
    ]
    if len(submodules) < len(layers):
        return _by_graph(network, layers, submodules, images)
    copy = overwrites(network, layers, images)
    features = timm_features(network, images)
    if features.keys() & paths:
        with suppress(UserError):  # a container, such as `blocks`, is never called by it
            means = TimmReader(network, layers, features, copy)
            means(images)
            return means
    return HookReader(network, layers, copy)


def _by_graph(
    network: nn.Module, layers: Sequence[str], submodules: Sequence[str], images: Images
) -> Means:
    from interp_by_design.predictor.graph_reader import (
        GraphReader,
    )  # imports torchvision, which takes a second

    means = GraphReader(network, layers)
    found, wanted = means(images), HookReader(network, submodules, copy=True)(images)
    given = (
        output for name, output in zip(layers, found.hidden, strict=True) if name in submodules
    )
    same = (
        torch.allclose(one, other, rtol=1e-4, atol=1e-5)
        for one, other in zip(given, wanted.hidden, strict=True)
    )
    if not torch.allclose(found.logits, wanted.logits, rtol=1e-4, atol=1e-5) or not all(same):
        raise UserError(
            f"The traced graph of {type(network).__name__} does not compute what the network does, so that its operations cannot "
            f"be read. Choose submodules, such as {_known_layers(network, layers[0])[:-1]}."
        )
    return means


def _known_layers(network: nn.Module, like: str) -> list[str]:
    """The stages, or every submodule where the stages' names do not answer a dotted one."""
    return [
        name
        for name, _ in (network.named_modules() if "." in like else network.named_children())
        if name
    ]


def _noise(network: nn.Module, image_shape: tuple[int, int, int]) -> Tensor:
    noise = torch.rand(4, *image_shape, generator=torch.Generator().manual_seed(0))
    like = next(
        (parameter for parameter in network.parameters() if parameter.is_floating_point()), noise
    )
    return noise.to(like)  # its device, and its precision


def _refused(network: nn.Module, image_shape: tuple[int, int, int], error: Exception) -> UserError:
    """Says whether the images are merely too small, which torch's own message does not."""
    channels, *sides = image_shape
    for side in (32, 64, 128, 224, 299):
        if side > min(sides):
            with suppress(*REFUSALS):
                network(_noise(network, (channels, side, side)))
                return UserError(
                    f"Images of shape {tuple(image_shape)} are too small for {type(network).__name__}, which takes "
                    f"{(channels, side, side)}. Give larger images, or choose another network."
                )
    return UserError(
        f"{type(network).__name__} does not take images of shape {tuple(image_shape)}: {error}"
    )
