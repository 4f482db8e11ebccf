"""Heat maps: where in an image an attribute looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from interp_by_design.attributes.spatial_contributions import SpatialContributions
from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.explain.attribution import by_gradient, by_occlusion
from interp_by_design.explain.target import dictionary_of, read
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Attributes, Images, Indices, UnknownName, UserError

METHODS = ("auto", "evidence", "gradient", "occlusion")
MAX_VALUES = 2**21  # of the images in one pass

Maps = Float[Tensor, "n h w"]


@dataclass(frozen=True, eq=False)
class Heatmaps:
    """One map for each image, at the image's own size.

    Args:
        maps: [n, h, w] >= 0, the largest value of each 1; 0 everywhere if there is nothing to show.
        placed: Share of the evidence that has a place, [n] in 0..1; the rest came through layers
            that are vectors.
        method: `evidence`, `gradient` or `occlusion`.
    """

    maps: Maps
    placed: Float[Tensor, "n"]
    method: str


def heatmaps(
    model: InterpretableModel, images: Images, attributes: Indices, method: str = "auto"
) -> Heatmaps:
    """Map where on image i attribute `attributes[i]` looks. The model's modes are restored.

    Args:
        model: f and g.
        images: [n, c, h, w] in [0, 1], on the model's device.
        attributes: One for each image, [n].
        method: `evidence` is exact and takes one pass of f without gradients, at the resolution of
            the hidden layers. `gradient` and `occlusion` attribute to pixels through f. `auto` is
            evidence where all that the dictionary reads has a place, else the gradient; occlusion
            for an interpreter without a dictionary.

    Returns:
        The maps.

    Raises:
        UserError: If there is no such attribute, or no evidence that has a place.
        UnknownName: For another method.
    """
    n_attributes = model.interpreter.n_attributes
    if len(attributes) and not 0 <= int(attributes.min()) <= int(attributes.max()) < n_attributes:
        raise UserError(
            f"Attributes run from 0 to {n_attributes - 1}, and heat maps of "
            f"{sorted(set(attributes.tolist()))} were asked for."
        )
    weights = F.one_hot(attributes.long(), n_attributes).to(images)
    return located(model, images, weights, method)


def located(
    model: InterpretableModel, images: Images, weights: Attributes, method: str = "auto"
) -> Heatmaps:
    """Map a weighted sum of attributes on each image, as `heatmaps` does.

    Args:
        model: f and g.
        images: [n, c, h, w] in [0, 1], on the model's device.
        weights: Of the attributes of each image, [n, J] >= 0.
        method: As for `heatmaps`.

    Returns:
        The maps.

    Raises:
        UserError: If there is no evidence that has a place.
        UnknownName: For another method.
    """
    if method not in METHODS:
        raise UnknownName.among("method", method, METHODS, owner="heat maps")
    if not len(images):
        return Heatmaps(images.new_zeros(0, *images.shape[2:]), images.new_zeros(0), method)
    find: Find
    chunk = images_per_pass(images.shape[1:], max_values=MAX_VALUES)
    with evaluating(model):
        method = _automatic(model, images[:1]) if method == "auto" else method
        find = {
            "evidence": _by_evidence,
            "gradient": _all_placed(by_gradient),
            "occlusion": _all_placed(by_occlusion),
        }[method]
        parts = [
            find(model, *some)
            for some in zip(torch.split(images, chunk), torch.split(weights, chunk), strict=True)
        ]
    maps, placed = (torch.cat(part) for part in zip(*parts, strict=True))
    largest = maps.amax(dim=(1, 2), keepdim=True)
    return Heatmaps(maps / largest.where(largest > 0, 1), placed, method)


Find = Callable[[InterpretableModel, Images, Attributes], tuple[Tensor, Tensor]]


def _automatic(model: InterpretableModel, images: Images) -> str:
    """The cheap method that the deletion check prefers.

    The share of φ that is lost with the hottest tenth of the image, and with a random one.
    Occlusion is 4 to 70 times the cost.

                                             evidence   gradient   occlusion   random
        LeNet, MNIST: a map and a vector       .56        .85         .74       .13
        LeNet, factors: a map and a vector     .54        .91         .81       .14
        ResNet-20, CIFAR-10: two maps          .49        .42         .65       .16
        SqueezeNet, Imagenette: maps           .71        .47         .67       .09
    """
    if (
        dictionary_of(model) is None
    ):  # it may let no gradient through, as the relabelled control does
        return "occlusion"
    evidence = _evidence(
        model, images, torch.ones_like(model.interpreter.head.weights[:1]).expand(len(images), -1)
    )
    return (
        "gradient"
        if evidence is None or evidence.unplaced.shape[1] or not evidence.maps
        else "evidence"
    )


def _by_evidence(
    model: InterpretableModel, images: Images, weights: Attributes
) -> tuple[Tensor, Tensor]:
    """Sum the positive contributions of each position over layers, enlarged to the image."""
    evidence = _evidence(model, images, weights)
    if evidence is None or not evidence.maps:
        raise UserError(
            "This interpreter reads no hidden layer whose positions lie on the image: there is no "
            "evidence to place. "
            "Take method='gradient' or 'occlusion', or an interpreter of layers that are maps."
        )
    height, width = images.shape[2:]
    maps, total = (
        images.new_zeros(len(images), height, width),
        evidence.unplaced.clamp(min=0).sum(dim=1),
    )
    for layer in evidence.maps:
        heat = layer.clamp(min=0)
        total = total + heat.sum(dim=(1, 2))
        dense = heat[:, None] * (
            heat.shape[1:].numel() / (height * width)
        )  # of each pixel, so that layers weigh what they hold
        maps += F.interpolate(dense, (height, width), mode="bilinear", align_corners=False)[:, 0]
    placed = total - evidence.unplaced.clamp(min=0).sum(dim=1)
    return maps, placed / total.where(total > 0, 1)


def _evidence(
    model: InterpretableModel, images: Images, weights: Attributes
) -> SpatialContributions | None:
    """Return the dictionary's evidence; single positions and columns of tokens have no place."""
    dictionary = dictionary_of(model)
    if dictionary is None:
        return None
    with torch.no_grad():
        evidence = dictionary.spatial_contributions(read(model, images).hidden, weights)
    if evidence is None:
        return None
    nowhere = [one.sum(dim=(1, 2)) for one in evidence.maps if min(one.shape[1:]) == 1]
    maps = tuple(one for one in evidence.maps if min(one.shape[1:]) > 1)
    return SpatialContributions(
        maps,
        torch.cat([evidence.unplaced, *(one[:, None] for one in nowhere)], dim=1),
        evidence.constant,
    )


def _all_placed(find: Callable[[InterpretableModel, Images, Attributes], Maps]) -> Find:
    def found(
        model: InterpretableModel, images: Images, weights: Attributes
    ) -> tuple[Tensor, Tensor]:
        maps = find(model, images, weights)
        return maps, (maps.amax(dim=(1, 2)) > 0).to(maps)

    return found
