"""timm's classifiers by name, with random weights, those of a file, or those that timm publishes."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

from torch import nn

from interp_by_design.predictor.published_weights import fetching, is_tag
from interp_by_design.predictor.weights import load_weights, other_classes
from interp_by_design.terms import UnknownName, UserError

log = logging.getLogger(__name__)

DEFAULT = "DEFAULT"  # torchvision's word for whatever weights are best


def timm_network(
    image_shape: tuple[int, int, int],
    n_classes: int,
    name: str,
    weights: str | None = None,
    fresh_head: bool = True,
    load: bool = True,
) -> nn.Module:
    """The timm classifier `name` for `n_classes` classes; hidden layers are its submodules' dotted names.

    weights: None draws them; a path reads them from that file; a tag, such as DEFAULT or augreg_in21k, fetches what timm
        publishes under it, once.
    fresh_head: whether a class head for another number of classes may be drawn afresh.
    load: false leaves the weights random, for those who overwrite them all; the network is that of `weights` none the less.

    Raises `UnknownName` for a name or tag that timm does not know, and `UserError` for weights that do not fit, where they cannot
    be fetched, and where timm is not installed.
    """
    timm = _timm()
    if name not in (known := timm.list_models()):
        raise UnknownName.among("network", name, _like(name, known), owner="timm")
    tags = _tags(timm, name)
    tag = (
        tags[weights]
        if weights is not None and is_tag(weights, list(tags), f"timm's {name}")
        else None
    )
    shape = {"num_classes": n_classes, "in_chans": image_shape[0]}
    if tag is None:
        network: nn.Module = timm.create_model(name, pretrained=False, **shape)
        if load and weights is not None:
            load_weights(network, weights, fresh_head)
        return network
    found = timm.get_pretrained_cfg(tag).num_classes
    if load and not fresh_head and found != n_classes:
        raise other_classes(f"'{tag}'", found, n_classes)  # before anything is fetched
    if not load:
        return timm.create_model(tag, pretrained=False, **shape)  # type: ignore[no-any-return]  # timm's types are loose
    with fetching(tag):
        network = timm.create_model(tag, pretrained=True, **shape)
    drawn = (
        ""
        if found == n_classes
        else f" but the class head: one for {n_classes} classes is drawn afresh"
    )
    log.info("The weights of '%s'%s", tag, drawn)
    return network


def _timm() -> Any:
    try:
        import timm
    except ImportError as absent:
        raise UserError(
            'Networks of timm need that library: pip install "interp_by_design[timm]".'
        ) from absent
    return timm


def _tags(timm: ModuleType, name: str) -> dict[str, str]:
    """Each tag that has weights, with the whole name that timm knows them by."""
    whole = timm.list_pretrained(f"{name}.*")
    tags = {entry.partition(".")[2]: entry for entry in whole}
    default = timm.get_pretrained_cfg(name)
    return tags | (
        {DEFAULT: f"{name}.{default.tag}"} if default is not None and default.tag in tags else {}
    )


def _like(name: str, known: list[str], shown: int = 10) -> list[str]:
    """The nearest of a thousand names."""
    import difflib

    return difflib.get_close_matches(name, known, n=shown, cutoff=0.3)
