"""Reading the features of timm's networks through `forward_intermediates`.

The method knows how tokens make up maps. timm itself is not imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any, final

import torch
from torch import Tensor, nn

from interp_by_design.predictor.activation_layout import ActivationLayout
from interp_by_design.predictor.hooks import Recorded, once, recording
from interp_by_design.predictor.logits import logits_of
from interp_by_design.terms import ForwardPass, Images, Logits


@final
class TimmReader:
    """The logits of one pass and the outputs of layers, as timm gives them or through hooks.

    A pass raises `UserError` for class tokens where there are none, and what `HookReader` raises.

    Args:
        network: a network with `forward_intermediates`.
        layers: names of layers, in the order in which they are returned.
        features: the layers that timm gives, from `timm_features`; others are hooked.
        copy: clone hooked outputs at once.
    """

    def __init__(
        self, network: nn.Module, layers: Sequence[str], features: Mapping[str, int], copy: bool
    ) -> None:
        self.network, self.copy = network, copy
        self.layouts = tuple(ActivationLayout.of_layer(network, name) for name in layers)
        paths = tuple(dict.fromkeys(layout.name.path for layout in self.layouts))
        self.hooked = tuple(path for path in paths if path not in features)
        # In the order in which the network gives them.
        self.features = {
            path: index
            for path, index in sorted(features.items(), key=itemgetter(1))
            if path in paths
        }

    def __call__(self, images: Images) -> ForwardPass:
        with recording(self.network, self.hooked, self.copy) as seen:
            logits, found = _intermediates(self.network, images, list(self.features.values()))
        features = dict(zip(self.features, found, strict=True))
        outputs = {path: once(self.network, path, seen[path]) for path in self.hooked}
        return ForwardPass(
            logits, tuple(_activation(layout, features, outputs, images) for layout in self.layouts)
        )


def timm_features(network: Any, images: Images) -> dict[str, int]:
    """Return the layers that `forward_intermediates` gives, with their indices.

    Empty where the method is absent or does not give the same: as many logits as a pass of the
    network, and for each layer the numbers of the submodule of that name, in any order, unless that
    gives no tensor. Empty too for a network that may write over them while it trains.

    Args:
        network: any network.
        images: network input [n, c, h, w] of the trial pass.

    Returns:
        Indices by layer name.
    """
    if not hasattr(network, "forward_intermediates") or any(
        getattr(part, "inplace", False) for part in network.modules()
    ):
        return {}
    with suppress(Exception):  # hooks do what the method does not
        names = [str(entry["module"]) for entry in network.feature_info]
        modules = [name for name in names if name in dict(network.named_modules())]
        with recording(network, modules, copy=True) as seen:
            logits = logits_of(network(images))
        repeated, found = _intermediates(network, images, list(range(len(names))))
        if torch.allclose(repeated, logits, rtol=1e-4, atol=1e-5) and len(found) == len(names):
            features = zip(names, found, strict=True)
            return {
                name: i
                for i, (name, feature) in enumerate(features)
                if name in seen and _same(seen[name], feature)
            }
    return {}


Feature = tuple[Tensor, Tensor | None]  # the map of the patches, and the tokens before them


def _intermediates(
    network: Any, images: Images, indices: list[int]
) -> tuple[Logits, list[Feature]]:
    prefixed = "return_prefix_tokens" in inspect.signature(network.forward_intermediates).parameters
    options = {"return_prefix_tokens": True} if prefixed else {}
    features, found = network.forward_intermediates(images, indices=indices, **options)
    return logits_of(network.forward_head(features)), [
        one if isinstance(one, tuple) else (one, None) for one in found
    ]


def _same(recorded: Sequence[Recorded], feature: Feature) -> bool:
    """Return whether a submodule gave a feature's numbers, or no tensor that could be compared."""
    if len(recorded) != 1 or feature[0].ndim != 4:
        return False
    output = recorded[0].output
    if not isinstance(output, Tensor):
        return True
    numbers = torch.cat([part.flatten(1) for part in feature if part is not None], dim=1)
    return output.numel() == numbers.numel() and torch.allclose(
        output.flatten(1).sort().values, numbers.sort().values
    )


def _activation(
    layout: ActivationLayout,
    features: Mapping[str, Feature],
    outputs: Mapping[str, object],
    images: Images,
) -> Tensor:
    path, part = layout.name
    if path not in features:
        return layout.arrange(outputs[path], images)
    patches, prefix = features[path]
    if not part:
        return patches
    if prefix is None or not prefix.shape[1]:
        raise layout.no_prefix()
    return prefix.flatten(1)
