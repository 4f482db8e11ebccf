"""torchvision's classifiers by name, with random weights, those of a file, or those that torchvision publishes."""

from __future__ import annotations

import warnings
from typing import Any

from torch import channels_last, nn

from interp_by_design.predictor.published_weights import fetching, is_tag
from interp_by_design.predictor.weights import load_state, load_weights, other_classes
from interp_by_design.terms import UnknownName, UserError


def torchvision_network(
    image_shape: tuple[int, int, int],
    n_classes: int,
    name: str,
    weights: str | None = None,
    fresh_head: bool = True,
    load: bool = True,
) -> nn.Module:
    """The torchvision classifier `name` for `n_classes` classes; hidden layers are its submodules' dotted names.

    weights: None draws them; a path reads them from that file; a tag, such as DEFAULT or IMAGENET1K_V1, fetches what torchvision
        publishes under it, once. With a tag, `pretrained_cfg` of the network says what it wants done to images, as timm's do.
    fresh_head: whether a class head for another number of classes may be drawn afresh.
    load: false leaves the weights random, for those who overwrite them all; the network is that of `weights` none the less.

    Raises `UnknownName` for a name or tag that torchvision does not know, and `UserError` for images without three channels, for
    weights that do not fit, and where they cannot be fetched.
    """
    import torchvision  # a second's work, which no other network needs

    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise UnknownName.among("network", name, known, owner="torchvision")
    if image_shape[0] != 3:
        raise UserError(
            f"'{name}' takes images of 3 channels, not {image_shape[0]}; grey ones must be repeated (data.channels=3)."
        )
    tags = torchvision.models.get_model_weights(name).__members__
    published = (
        tags[weights]
        if weights is not None and is_tag(weights, list(tags), f"torchvision's {name}")
        else None
    )
    network = _drawn(name, n_classes, published)
    if load and published is not None:
        _load_published(network, name, published, n_classes, fresh_head)
    elif load and weights is not None:
        load_weights(network, weights, fresh_head)
    return network.to(memory_format=channels_last)


def _drawn(name: str, n_classes: int, published: Any) -> nn.Module:
    """The network, freshly drawn, as it must be for the weights that are `published`."""
    import torchvision

    options: dict[str, Any] = {}
    if published is not None and name.startswith("vit_"):
        options["image_size"] = published.meta["min_size"][0]
    if published is not None and name in ("googlenet", "inception_v3"):
        options["transform_input"] = (
            True  # these weights are older than torchvision's way to normalise
        )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # GoogLeNet and Inception, on how they draw weights
        network: Any = torchvision.models.get_model(
            name, weights=None, num_classes=n_classes, **options
        )
    network.pretrained_cfg = _preprocessing(network, name, published)
    return network  # type: ignore[no-any-return]  # torchvision ships no types


def _preprocessing(network: Any, name: str, published: Any) -> dict[str, Any]:
    """In timm's words, what is known of the images that the network takes."""
    known: dict[str, Any] = {"architecture": name}
    side = getattr(network, "image_size", None) or (224 if name == "maxvit_t" else None)
    if side is not None:
        known |= {"input_size": (3, side, side), "fixed_input_size": True}
    if published is not None:
        wanted = published.transforms()
        known |= {"mean": tuple(wanted.mean), "std": tuple(wanted.std)}
    return known


def _load_published(
    network: nn.Module, name: str, published: Any, n_classes: int, fresh_head: bool
) -> None:
    source = f"{name} {published.name}"
    if not fresh_head and (found := len(published.meta["categories"])) != n_classes:
        raise other_classes(f"'{source}'", found, n_classes)  # before anything is fetched
    with fetching(source):
        state = published.get_state_dict(progress=True, check_hash=True)
    load_state(network, state, source, fresh_head)
