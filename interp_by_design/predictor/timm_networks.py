"""timm's classifiers by name."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from typing import Any, final

from torch import nn

from interp_by_design.predictor.published_weights import (
    ModelZoo,
    NetworkRequest,
    PublishedWeights,
    fetching,
)
from interp_by_design.terms import UnknownName, UserError

log = logging.getLogger(__name__)

DEFAULT = "DEFAULT"  # torchvision's word for the best weights of a network
N_SUGGESTIONS = 10  # names that a message lists, out of a thousand


def timm_network(
    image_shape: tuple[int, int, int],
    n_classes: int,
    name: str,
    weights: str | None = None,
    fresh_head: bool = True,
    load: bool = True,
) -> nn.Module:
    """Return a timm classifier; its hidden layers are its submodules' dotted names.

    Args:
        image_shape: shape (c, h, w) of the network's input.
        n_classes: number of classes that it decides among.
        name: timm's name of the network.
        weights: None for random ones; the path of a file; or a tag, such as DEFAULT or
            augreg_in21k, whose weights are fetched once.
        fresh_head: whether a class head for another number of classes may be drawn again.
        load: False leaves the weights random, in the network that belongs to `weights`.

    Returns:
        The network, in training mode.

    Raises:
        UnknownName: timm has no network, or no tag, of that name.
        UserError: timm is not installed, or the weights cannot be fetched or do not fit.
    """
    return _Timm().network(NetworkRequest(image_shape, n_classes, name, weights, fresh_head, load))


@final
class _Timm(ModelZoo):
    owner = "timm"

    def __init__(self) -> None:
        try:
            import timm
        except ImportError as absent:
            raise UserError(
                'Networks of timm need that library: pip install "interp_by_design[timm]".'
            ) from absent
        self.timm: Any = timm

    def _check(self, request: NetworkRequest) -> None:
        known = self.timm.list_models()
        if request.name not in known:
            near = difflib.get_close_matches(request.name, known, n=N_SUGGESTIONS, cutoff=0.3)
            raise UnknownName.among("network", request.name, near, owner=self.owner)

    def _tags(self, name: str) -> Mapping[str, Any]:
        entries = self.timm.list_pretrained(f"{name}.*")  # whole names: network.tag
        tags = {entry.partition(".")[2]: entry for entry in entries}
        default = self.timm.get_pretrained_cfg(name)
        if default is not None and default.tag in tags:
            tags[DEFAULT] = f"{name}.{default.tag}"
        return tags

    def _published(self, name: str, entry: Any) -> PublishedWeights:
        return PublishedWeights(entry, self.timm.get_pretrained_cfg(entry).num_classes, entry)

    def _create(self, request: NetworkRequest, published: PublishedWeights | None) -> nn.Module:
        return self._model(request, request.name if published is None else published.entry, False)

    def _fetch(self, request: NetworkRequest, published: PublishedWeights) -> nn.Module:
        with fetching(published.label):
            network = self._model(request, published.entry, True)
        drawn = (
            ""
            if published.n_classes == request.n_classes
            else f" but the class head: a new one for {request.n_classes} classes is drawn"
        )
        log.info("The weights of '%s'%s", published.label, drawn)
        return network

    def _model(self, request: NetworkRequest, name: str, pretrained: bool) -> nn.Module:
        network: nn.Module = self.timm.create_model(
            name,
            pretrained=pretrained,
            num_classes=request.n_classes,
            in_chans=request.image_shape[0],
        )
        return network
