"""Every layer of a network that can be read as a hidden layer, from one pass. Knows nothing of how a table is printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from interp_by_design.predictor.hidden_layers import probing
from interp_by_design.predictor.layout import PREFIX, Layout
from interp_by_design.predictor.logits import is_answer, logits_of, readings
from interp_by_design.predictor.modes import uncompiled, uncompiled_calls
from interp_by_design.predictor.timm_reader import TimmReader, timm_features
from interp_by_design.terms import Images, UserError


@dataclass(frozen=True)
class Layer:
    """A layer that can be read: the shape of what it gives (no batch axis), and how many parameters it holds.

    kind: `map` (c, h, w), `vector` (d), `tokens` (a map of patches), or `prefix` (a vector: the class and register tokens).
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    kind: str

    @property
    def is_stage(self) -> bool:
        """Whether it is inside of no other module than the network."""
        return "." not in self.name


def usable_layers(network: nn.Module, image_shape: tuple[int, int, int]) -> tuple[Layer, ...]:
    """The submodules of `network` that `LayerReader` takes, in the network's order, from one pass over noise.

    Left out are those that fire never or several times, that give no maps, vectors or tokens, that hand on the image as it came,
    and the class head's output. Raises `UserError` for a network that gives no logits [n, C], or does not take such images.
    """
    network = uncompiled(network)
    with probing(network, image_shape) as images:
        seen: dict[str, list[list[_Seen]]] = {
            name: [] for name, _ in network.named_modules() if name
        }
        with _hooked(network, seen, images), uncompiled_calls(network):
            logits = logits_of(network(images))
        _from_timm(network, seen, images)
    return tuple(
        Layer(given.name, given.shape, _n_parameters(network, path), given.kind)
        for path, calls in seen.items()
        for given in (calls[0] if len(calls) == 1 else ())
        if not is_answer(given.says, logits)
    )


class _Seen(NamedTuple):
    """What a layer gave in one call, without what it gave: `says` is small."""

    name: str
    shape: tuple[int, ...]
    kind: str
    says: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, name: str, output: Tensor, kind: str) -> _Seen:
        return cls(name, tuple(output.shape[1:]), kind, readings(output))


@contextmanager
def _hooked(
    network: nn.Module, seen: dict[str, list[list[_Seen]]], images: Images
) -> Iterator[None]:
    """Notes for each submodule, by name, what it gives in each call within the block."""
    handles = []
    try:
        for path in seen:

            def note(_module: nn.Module, _inputs: object, output: object, path: str = path) -> None:
                seen[path].append(list(_readable(network, path, output, images)))

            handles.append(network.get_submodule(path).register_forward_hook(note))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _readable(network: nn.Module, path: str, output: object, images: Images) -> Iterator[_Seen]:
    """The layer as it is read, and its class and register tokens, where it has them; neither where it gives the image."""
    if not isinstance(output, Tensor) or (
        output.shape == images.shape and torch.equal(output, images)
    ):
        return
    own = "map" if output.ndim == 4 else "vector" if output.ndim == 2 else "tokens"
    for name, kind in ((path, own), (f"{path}:{PREFIX}", PREFIX)):
        with suppress(UserError):
            yield _Seen.of(name, Layout.of(network, name).arranged(output, images), kind)


def _from_timm(network: nn.Module, seen: dict[str, list[list[_Seen]]], images: Images) -> None:
    """Puts in how timm itself gives its features, some of which hooks cannot make maps of."""
    features = timm_features(network, images)
    if not features:
        return
    for path, output in zip(
        features,
        TimmReader(network, list(features), features, copy=False)(images).hidden,
        strict=True,
    ):
        read = seen[path][0]  # through a hook; empty where that gives no tensor
        seen[path][0] = [_Seen.of(path, output, read[0].kind if read else "map"), *read[1:]]


def _n_parameters(network: nn.Module, path: str) -> int:
    return sum(parameter.numel() for parameter in network.get_submodule(path).parameters())
