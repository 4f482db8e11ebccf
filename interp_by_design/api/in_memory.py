"""Data sets of live Python objects, made from what `interpret` accepts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from interp_by_design.api.options import FitOptions
from interp_by_design.data import ImageData, InMemoryData, TensorData
from interp_by_design.data.in_memory import declared_normalisation, first_image, repeats
from interp_by_design.predictor import Predictor
from interp_by_design.terms import DataFacts, Normalisation, UserError

log = logging.getLogger(__name__)


def in_memory_data(
    network: nn.Module, layers: Sequence[str], data: Any, options: FitOptions
) -> ImageData:
    """Return data as a data set with the classes of a network.

    Args:
        network: The network, which gives logits [n, classes].
        layers: The names of its hidden layers that are read.
        data: A data set whose items are `(image, label)`, a DataLoader of one, two tensors, or an
            `ImageData`.
        options: How the data is split, batched and normalised, and what its classes are called.

    Returns:
        The data set, not yet set up.

    Raises:
        UserError: `data` is no data set, or does not fit the network or the options.
    """
    if isinstance(data, ImageData):
        return data
    items = data.dataset if isinstance(data, DataLoader) else data
    common: dict[str, Any] = {
        "batch_size": options.batch_size,
        "validation": options.validation,
        "seed": options.seed,
    }
    if (
        isinstance(items, tuple)
        and len(items) == 2
        and all(isinstance(part, Tensor) and part.ndim for part in items)
    ):
        images, labels = items
        names = _class_names(network, layers, images[:1], items, options)
        normalisation = options.normalisation or _own_normalisation(network)
        return TensorData(
            images, labels, names, test=options.test, normalisation=normalisation, **common
        )
    image = first_image(items)
    names = _class_names(network, layers, image[None], items, options)
    _require_repeating(items, options)
    declared = declared_normalisation(items)
    normalised = declared is not None or (
        image.dtype.is_floating_point and not (0 <= image.min() <= image.max() <= 1)
    )
    normalisation = options.normalisation or declared or _own_normalisation(network)
    return InMemoryData(
        items, names, normalisation, normalised=normalised, test=options.test, **common
    )


def _require_repeating(items: Any, options: FitOptions) -> None:
    """Refuse random items with a cache, which holds one pass over each item."""
    if options.cache_settings.kind != "off" and not repeats(items):
        raise UserError(
            "The items differ each time they are read, as by a random transform, and a cache keeps "
            'one pass over each. Take that step out of the data set, or give cache="off".'
        )


def _own_normalisation(network: nn.Module) -> Normalisation | None:
    """Return the normalisation that timm records in its networks; torchvision records none."""
    facts = getattr(network, "pretrained_cfg", None) or {}
    if "mean" in facts and "std" in facts:
        log.warning(
            "Images are normalised as timm records for this network: mean %s, std %s.",
            facts["mean"],
            facts["std"],
        )
        return Normalisation(tuple(facts["mean"]), tuple(facts["std"]))
    log.warning(
        "No normalisation is known: the network gets images in [0, 1]. "
        "Set normalisation= for another range."
    )
    return None


def _class_names(
    network: nn.Module, layers: Sequence[str], images: Tensor, items: Any, options: FitOptions
) -> Sequence[str]:
    """Return the given names of the network's classes, the data set's own, or numbers."""
    if images.ndim != 4:
        raise UserError(f"Images are [n, c, h, w], not {tuple(images.shape)}.")
    channels, height, width = images.shape[1:]
    if any(weight.dtype == torch.float64 for weight in network.parameters()):
        raise UserError(
            "The network's weights are float64, and images are float32: give network.float()."
        )
    predictor = Predictor(
        network, layers, DataFacts((channels, height, width), (), Normalisation())
    )
    with torch.no_grad():
        n_classes = predictor(torch.zeros(2, channels, height, width)).logits.shape[1]
    if options.class_names is not None:
        if len(options.class_names) != n_classes:
            raise UserError(
                f"{len(options.class_names)} class names do not fit a network with "
                f"{n_classes} outputs."
            )
        return [str(name) for name in options.class_names]
    while not hasattr(items, "classes") and hasattr(items, "dataset"):
        items = items.dataset
    own = getattr(items, "classes", None) or ()
    return (
        [str(name) for name in own]
        if len(own) == n_classes
        else [str(label) for label in range(n_classes)]
    )
