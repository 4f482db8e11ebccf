"""The preprocessing of a network: size, order of colours, normalisation of images in [0, 1]."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp_by_design.terms import DataFacts, Images, Normalisation, UnknownName, UserError

log = logging.getLogger(__name__)

COLOUR_ORDERS = ("rgb", "bgr")


@final
@dataclass(frozen=True)
class Preprocessing:
    """Images in [0, 1] to a network's input: resized, colours reordered, then normalised.

    Args:
        normalisation: `(x - mean) / std`, in the network's own order of channels.
        size: (h, w) in pixels; other images are resized by antialiased bilinear interpolation. None
            keeps their size.
        colour_order: "rgb", or "bgr" for a network that was trained on images of OpenCV or Caffe.

    Raises:
        UserError: the size is not two positive whole numbers.
        UnknownName: the order of colours is unknown.

    >>> Preprocessing(Normalisation(), size=(4, 4)).apply(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 3, 4, 4])
    """

    normalisation: Normalisation
    size: tuple[int, int] | None = None
    colour_order: str = "rgb"

    def __post_init__(self) -> None:
        if self.colour_order not in COLOUR_ORDERS:
            raise UnknownName.among("colour order", str(self.colour_order), COLOUR_ORDERS)
        parse_size({"size": self.size})

    def input_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the shape of the network's input.

        Args:
            image_shape: shape (c, h, w) of the images.

        Raises:
            UserError: the channels do not fit the normalisation or the order of colours.
        """
        channels, height, width = image_shape
        if (n_means := len(self.normalisation.mean)) not in (1, channels):
            raise UserError(
                f"A normalisation by {n_means} means does not fit images of {channels} channels: "
                "give one for all, or one for each."
            )
        if self.colour_order == "bgr" and channels != 3:
            raise UserError(
                f"Images of {channels} channels have no colours in the order bgr: give "
                "predictor.colour_order=rgb."
            )
        return channels, *(self.size or (height, width))

    def rearrange(self, images: Images) -> Images:
        """Return images in the network's size and order of colours, still in [0, 1].

        Args:
            images: images [n, c, h, w] in [0, 1]; returned themselves where nothing changes.
        """
        if self.size is not None and tuple(images.shape[-2:]) != self.size:
            images = _resized(images, self.size)
        return images.flip(-3) if self.colour_order == "bgr" else images

    def apply(self, images: Images) -> Images:
        """Return the network's input for images.

        Args:
            images: images [n, c, h, w] in [0, 1].
        """
        return self.normalisation.apply(self.rearrange(images))


def choose_preprocessing(
    network: nn.Module, facts: DataFacts, options: Mapping[str, Any], trained: bool
) -> Preprocessing:
    """Return the preprocessing that the options ask for, else the network's own, else the data's.

    A network of a library declares its own in `pretrained_cfg`; what is taken from there is logged.

    Args:
        network: the network.
        facts: shape and normalisation of the data.
        options: `normalisation`, `size` and `colour_order`, each of which may be absent or None.
        trained: whether the network has trained weights; only then its normalisation counts. Its
            size counts where it takes no other.

    Raises:
        UserError: an option has no valid value.
        UnknownName: the order of colours is unknown.
    """
    known = getattr(network, "pretrained_cfg", None) or {}
    order = options.get("colour_order") or "rgb"
    size = parse_size(options) or _only_size(known, facts, type(network).__name__)
    if own := options.get("normalisation"):
        return Preprocessing(_parse_normalisation(own), size, order)
    if trained and "mean" in known and "std" in known:
        mean, std = tuple(known["mean"]), tuple(known["std"])
        log.info("Images are normalised as for %s: mean %s, std %s", _name(network), mean, std)
        return Preprocessing(Normalisation(mean, std), size, order)
    return Preprocessing(_reordered(facts.normalisation, order), size, order)


def parse_size(options: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the `size` among the options as (h, w), or None.

    Args:
        options: options of a predictor; `size` is two numbers, or one for a square.

    Raises:
        UserError: the size is not of positive whole numbers.

    >>> parse_size({"size": 224})
    (224, 224)
    """
    size = options.get("size")
    if size is None:
        return None
    sides = list(size) if isinstance(size, Sequence) else [size, size]
    if len(sides) == 2 and all(type(side) is int and side > 0 for side in sides):
        return sides[0], sides[1]
    raise UserError(
        "The size of a network's images is (height, width), positive whole numbers, not "
        f"{size}. Give predictor.size=[224,224], or null for the data's."
    )


def _parse_normalisation(value: Any) -> Normalisation:
    if not isinstance(value, Mapping) or set(value) != {"mean", "std"}:
        raise UserError(
            "predictor.normalisation is null or {mean: […], std: […]}, a number for each channel, "
            f"not {value}."
        )
    mean, std = (
        tuple(numbers) if isinstance(numbers, Sequence) else (numbers,)
        for numbers in (value["mean"], value["std"])
    )
    return Normalisation(mean, std)


def _only_size(known: Mapping[str, Any], facts: DataFacts, name: str) -> tuple[int, int] | None:
    size = tuple(known["input_size"][1:]) if known.get("fixed_input_size") else None
    if size is None or size == facts.image_shape[1:]:
        return None
    log.info(
        "%s takes only images of %d x %d: those of %d x %d are resized",
        name,
        *size,
        *facts.image_shape[1:],
    )
    height, width = size
    return height, width


def _reordered(normalisation: Normalisation, order: str) -> Normalisation:
    """Return the data's normalisation in the network's order: it acts on reordered channels."""
    if order == "bgr":
        return Normalisation(normalisation.mean[::-1], normalisation.std[::-1])
    return normalisation


def _resized(images: Images, size: tuple[int, int]) -> Images:
    # torch resizes no other types.
    wide = images if images.dtype in (torch.float32, torch.float64) else images.float()
    resized: Tensor = F.interpolate(
        wide, size, mode="bilinear", antialias=True, align_corners=False
    )
    return resized.to(images.dtype)


def _name(network: nn.Module) -> str:
    known = getattr(network, "pretrained_cfg", None) or {}
    return str(known.get("architecture") or type(network).__name__)
