"""The layers of a network that an interpreter can read, from one pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from interp_by_design.predictor.activation_layout import PREFIX, ActivationLayout
from interp_by_design.predictor.hooks import calls
from interp_by_design.predictor.logits import class_scores, logits_of, repeats_logits
from interp_by_design.predictor.modes import uncompiled
from interp_by_design.predictor.probing import probing
from interp_by_design.predictor.timm_reader import TimmReader, timm_features
from interp_by_design.terms import Images, UserError


@dataclass(frozen=True)
class Layer:
    """A layer that can be read.

    Args:
        name: the name that `LayerReader` takes.
        shape: the shape of its output without the batch axis.
        parameters: how many parameters are inside it.
        kind: `map` (c, h, w), `vector` (d), `tokens` (a map of patches), or `prefix` (a vector: the
            class and register tokens).
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    kind: str

    @property
    def is_stage(self) -> bool:
        """Whether the network holds it directly, in no other module."""
        return "." not in self.name


def usable_layers(network: nn.Module, image_shape: tuple[int, int, int]) -> tuple[Layer, ...]:
    """Return the submodules that `LayerReader` takes, from one pass over noise.

    Left out are those that never fire or fire several times, that give no maps, vectors or tokens,
    that return the image unchanged, and the class head's output.

    Args:
        network: the network to list.
        image_shape: shape (c, h, w) of its input.

    Returns:
        The layers in the network's order.

    Raises:
        UserError: the network gives no logits [n, C], or does not take such images.

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, 2))
    >>> [(layer.name, layer.shape) for layer in usable_layers(network, (1, 2, 2))]
    [('0', (4,)), ('1', (3,))]
    """
    network = uncompiled(network)
    with probing(network, image_shape) as images:
        seen: dict[str, list[list[_Seen]]] = {
            name: [] for name, _ in network.named_modules() if name
        }

        def note(path: str, output: object) -> None:
            seen[path].append(list(_readable(network, path, output, images)))

        with calls(network, list(seen), note):
            logits = logits_of(network(images))
        _add_timm_features(network, seen, images)
    return tuple(
        Layer(one.name, one.shape, _n_parameters(network, path), one.kind)
        for path, times in seen.items()
        for one in (times[0] if len(times) == 1 else ())
        if not repeats_logits(one.scores, logits)
    )


class _Seen(NamedTuple):
    """The form of a layer's output in one call, without the output itself, which may be large."""

    name: str
    shape: tuple[int, ...]
    kind: str
    scores: tuple[Tensor, Tensor]

    @classmethod
    def from_output(cls, name: str, output: Tensor, kind: str) -> _Seen:
        return cls(name, tuple(output.shape[1:]), kind, class_scores(output))


def _readable(network: nn.Module, path: str, output: object, images: Images) -> Iterator[_Seen]:
    """Yield the layer and, where it has them, its prefix tokens; nothing where it is the image."""
    if not isinstance(output, Tensor) or (
        output.shape == images.shape and torch.equal(output, images)
    ):
        return
    own = "map" if output.ndim == 4 else "vector" if output.ndim == 2 else "tokens"
    for name, kind in ((path, own), (f"{path}:{PREFIX}", PREFIX)):
        with suppress(UserError):
            layout = ActivationLayout.of_layer(network, name)
            yield _Seen.from_output(name, layout.arrange(output, images), kind)


def _add_timm_features(
    network: nn.Module, seen: dict[str, list[list[_Seen]]], images: Images
) -> None:
    """Put in timm's own features, some of which hooks cannot make maps of."""
    features = timm_features(network, images)
    if not features:
        return
    read = TimmReader(network, list(features), features, copy=False)
    for path, output in zip(features, read(images).hidden, strict=True):
        hooked = seen[path][0]  # empty where the hook gives no tensor
        kind = hooked[0].kind if hooked else "map"
        seen[path][0] = [_Seen.from_output(path, output, kind), *hooked[1:]]


def _n_parameters(network: nn.Module, path: str) -> int:
    return sum(parameter.numel() for parameter in network.get_submodule(path).parameters())
