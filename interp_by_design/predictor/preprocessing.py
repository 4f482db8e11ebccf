"""What a network wants done to an image in [0, 1] before it sees it: size, order of colours, normalisation.

Knows nothing of how images were read, or which network it is.
"""

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

ORDERS = ("rgb", "bgr")


@final
@dataclass(frozen=True)
class Preprocessing:
    """Images in [0, 1] to a network's input: resized, their colours in its order, then normalised.

    normalisation: `(x - mean) / std`, in the network's own order of channels.
    size: (h, w) of its images; others are resized by antialiased bilinear interpolation. None takes them as they are.
    colour_order: "rgb", or "bgr" for a network that was trained on images as OpenCV or Caffe read them.

    Raises `UserError` for a size that is not two positive whole numbers, `UnknownName` for another order.
    """

    normalisation: Normalisation
    size: tuple[int, int] | None = None
    colour_order: str = "rgb"

    def __post_init__(self) -> None:
        if self.colour_order not in ORDERS:
            raise UnknownName.among("colour order", str(self.colour_order), ORDERS)
        given_size({"size": self.size})

    def input_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """What images of `image_shape` become; raises `UserError` where their channels do not fit."""
        channels, height, width = image_shape
        if (given := len(self.normalisation.mean)) not in (1, channels):
            raise UserError(
                f"A normalisation by {given} means does not fit images of {channels} channels: give one for all, or one for each."
            )
        if self.colour_order == "bgr" and channels != 3:
            raise UserError(
                f"Images of {channels} channels have no colours in the order bgr: give predictor.colour_order=rgb."
            )
        return channels, *(self.size or (height, width))

    def rearrange(self, images: Images) -> Images:
        """`images` in the network's size and order of colours, still in [0, 1]; themselves where there is nothing to do."""
        if self.size is not None and tuple(images.shape[-2:]) != self.size:
            images = _resized(images, self.size)
        return images.flip(-3) if self.colour_order == "bgr" else images

    def apply(self, images: Images) -> Images:
        """Images in [0, 1] to network input."""
        return self.normalisation.apply(self.rearrange(images))


def fitting_preprocessing(
    network: nn.Module, facts: DataFacts, given: Mapping[str, Any], trained: bool
) -> Preprocessing:
    """What `given` says (`normalisation`, `size`, `colour_order`), else what is known of the network, else the data's own.

    A network made by timm or by name knows it (`pretrained_cfg`); its normalisation counts only where it was `trained`, its size
    only where it takes no other. What is taken from there is logged.
    """
    known = getattr(network, "pretrained_cfg", None) or {}
    order = given.get("colour_order") or "rgb"
    size = given_size(given) or _only_size(known, facts, type(network).__name__)
    if own := given.get("normalisation"):
        return Preprocessing(_normalisation(own), size, order)
    if trained and "mean" in known and "std" in known:
        normalisation = Normalisation(tuple(known["mean"]), tuple(known["std"]))
        log.info(
            "Images are normalised as for %s: mean %s, std %s",
            _name(network),
            normalisation.mean,
            normalisation.std,
        )
        return Preprocessing(normalisation, size, order)
    return Preprocessing(_reordered(facts.normalisation, order), size, order)


def given_size(given: Mapping[str, Any]) -> tuple[int, int] | None:
    """The `size` (h, w) in `given`, where one number is a square; raises `UserError` where that is no size."""
    size = given.get("size")
    if size is None:
        return None
    sides = list(size) if isinstance(size, Sequence) else [size, size]
    if len(sides) == 2 and all(type(side) is int and side > 0 for side in sides):
        return sides[0], sides[1]
    raise UserError(
        f"The size of a network's images is (height, width), positive whole numbers, not {size}. "
        "Give predictor.size=[224,224], or null for the data's."
    )


def _normalisation(given: Any) -> Normalisation:
    if not isinstance(given, Mapping) or set(given) != {"mean", "std"}:
        raise UserError(
            f"predictor.normalisation is null or {{mean: […], std: […]}}, a number for each channel, not {given}."
        )
    mean, std = (
        tuple(value) if isinstance(value, Sequence) else (value,)
        for value in (given["mean"], given["std"])
    )
    return Normalisation(mean, std)


def _only_size(known: Mapping[str, Any], facts: DataFacts, name: str) -> tuple[int, int] | None:
    size = tuple(known["input_size"][1:]) if known.get("fixed_input_size") else None
    if size is None or size == facts.image_shape[1:]:
        return None
    log.info(
        "%s takes images of %d x %d alone: those of %d x %d are resized",
        name,
        *size,
        *facts.image_shape[1:],
    )
    height, width = size
    return height, width


def _reordered(normalisation: Normalisation, order: str) -> Normalisation:
    """The data's means are in the order of its channels, and are taken off once those are turned."""
    return (
        Normalisation(normalisation.mean[::-1], normalisation.std[::-1])
        if order == "bgr"
        else normalisation
    )


def _resized(images: Images, size: tuple[int, int]) -> Images:
    wide = (
        images if images.dtype in (torch.float32, torch.float64) else images.float()
    )  # torch resizes no others
    resized: Tensor = F.interpolate(
        wide, size, mode="bilinear", antialias=True, align_corners=False
    )
    return resized.to(images.dtype)


def _name(network: nn.Module) -> str:
    known = getattr(network, "pretrained_cfg", None) or {}
    return str(known.get("architecture") or type(network).__name__)
