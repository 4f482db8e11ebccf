"""torchvision's classifiers by name."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, final

from torch import channels_last, nn

from interp_by_design.predictor.published_weights import (
    ModelZoo,
    NetworkRequest,
    PublishedWeights,
    fetching,
)
from interp_by_design.predictor.weights import load_state
from interp_by_design.terms import UnknownName, UserError

MAXVIT_SIDE = 224  # pixels; MaxViT takes no other images, and has no attribute that says so
# Their weights are older than torchvision's way to normalise.
TRANSFORM_INPUT = ("googlenet", "inception_v3")


def torchvision_network(
    image_shape: tuple[int, int, int],
    n_classes: int,
    name: str,
    weights: str | None = None,
    fresh_head: bool = True,
    load: bool = True,
) -> nn.Module:
    """Return a torchvision classifier; its hidden layers are its submodules' dotted names.

    With published weights, `pretrained_cfg` of the network holds their preprocessing, as in timm.

    Args:
        image_shape: shape (c, h, w) of the network's input; c is 3.
        n_classes: number of classes that it decides among.
        name: torchvision's name of the network.
        weights: None for random ones; the path of a file; or a tag, such as DEFAULT or
            IMAGENET1K_V1, whose weights are fetched once.
        fresh_head: whether a class head for another number of classes may be drawn again.
        load: False leaves the weights random, in the network that belongs to `weights`.

    Returns:
        The network, in training mode.

    Raises:
        UnknownName: torchvision has no network, or no tag, of that name.
        UserError: images have not three channels, or the weights cannot be fetched or do not fit.
    """
    request = NetworkRequest(image_shape, n_classes, name, weights, fresh_head, load)
    return _Torchvision().network(request).to(memory_format=channels_last)


@final
class _Torchvision(ModelZoo):
    owner = "torchvision"

    def __init__(self) -> None:
        import torchvision  # takes a second, which no other network needs

        self.models: Any = torchvision.models

    def _check(self, request: NetworkRequest) -> None:
        known = self.models.list_models(module=self.models)
        if request.name not in known:
            raise UnknownName.among("network", request.name, known, owner=self.owner)
        if (channels := request.image_shape[0]) != 3:
            raise UserError(
                f"'{request.name}' takes images of 3 channels, not {channels}; repeat grey ones "
                "(data.channels=3)."
            )

    def _tags(self, name: str) -> Mapping[str, Any]:
        tags: Mapping[str, Any] = self.models.get_model_weights(name).__members__
        return tags

    def _published(self, name: str, entry: Any) -> PublishedWeights:
        return PublishedWeights(f"{name} {entry.name}", len(entry.meta["categories"]), entry)

    def _create(self, request: NetworkRequest, published: PublishedWeights | None) -> nn.Module:
        name, entry = request.name, None if published is None else published.entry
        options: dict[str, Any] = {}
        if entry is not None and name.startswith("vit_"):
            options["image_size"] = entry.meta["min_size"][0]
        if entry is not None and name in TRANSFORM_INPUT:
            options["transform_input"] = True
        with warnings.catch_warnings():
            # GoogLeNet and Inception warn of how they draw their weights.
            warnings.simplefilter("ignore", FutureWarning)
            network: Any = self.models.get_model(
                name, weights=None, num_classes=request.n_classes, **options
            )
        network.pretrained_cfg = _preprocessing(network, name, entry)
        return network  # type: ignore[no-any-return]  # torchvision ships no types

    def _fetch(self, request: NetworkRequest, published: PublishedWeights) -> nn.Module:
        network = self._create(request, published)
        with fetching(published.label):
            state = published.entry.get_state_dict(progress=True, check_hash=True)
        load_state(network, state, published.label, request.fresh_head)
        return network


def _preprocessing(network: Any, name: str, entry: Any) -> dict[str, Any]:
    """Return what is known of the images that the network takes, with timm's keys."""
    known: dict[str, Any] = {"architecture": name}
    side = getattr(network, "image_size", None) or (MAXVIT_SIDE if name == "maxvit_t" else None)
    if side is not None:
        known |= {"input_size": (3, side, side), "fixed_input_size": True}
    if entry is not None:
        transforms = entry.transforms()
        known |= {"mean": tuple(transforms.mean), "std": tuple(transforms.std)}
    return known
