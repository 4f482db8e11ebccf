"""Attribution of attributes to pixels, by gradients or by occlusion."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.explain.removal import blurred
from interp_by_design.explain.target import weighted_attributes
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Attributes, Images, UserError

Maps = Float[Tensor, "n h w"]

N_STEPS = 8  # 32 give the same maps
SMOOTHING = 20.0  # the shorter side over the standard deviation of the smoothing
WINDOW = 4  # the side over that of the occluded square
STRIDE = 8  # the side over the distance of occluded squares


def by_gradient(model: InterpretableModel, images: Images, weights: Attributes) -> Maps:
    """Compute integrated gradients of a weighted sum of attributes, summed over channels.

    The path goes from the blurred copy to the image. Negative values are set to 0, and the map is
    smoothed. Attributes are taken before they compete. Source: Sundararajan et al. (2017),
    arXiv 1703.01365.

    Args:
        model: f and g, in evaluation mode.
        images: [n, c, h, w] in [0, 1].
        weights: Of the attributes of each image, [n, J].

    Returns:
        One map for each image, [n, h, w], >= 0.

    Raises:
        UserError: If no gradient gets from attributes to images.
    """
    from captum.attr import IntegratedGradients  # slow to import

    given = images.detach().clone().requires_grad_()
    target = partial(weighted_attributes, model)
    with torch.enable_grad():
        if not target(given[:1], weights[:1]).requires_grad:
            raise UserError(
                "No gradient gets through this interpreter to the image. Take method='occlusion', "
                "which needs none."
            )
        found = IntegratedGradients(target).attribute(
            given,
            blurred(images),
            additional_forward_args=(weights,),
            n_steps=N_STEPS,
            internal_batch_size=max(N_STEPS, len(images)),
        )
    return blurred(found.detach().sum(dim=1, keepdim=True).clamp(min=0), SMOOTHING)[:, 0]


def by_occlusion(model: InterpretableModel, images: Images, weights: Attributes) -> Maps:
    """Compute how much a weighted sum of attributes falls where a square is blurred.

    A pixel has the mean over the squares that cover it; negative values are set to 0. Source:
    Zeiler and Fergus (2014), arXiv 1311.2901.

    Args:
        model: f and g, in evaluation mode.
        images: [n, c, h, w] in [0, 1].
        weights: Of the attributes of each image, [n, J].

    Returns:
        One map for each image, [n, h, w], >= 0.
    """
    from captum.attr import Occlusion

    channels, *sides = images.shape[1:]
    window = (channels, *(max(1, side // WINDOW) for side in sides))
    strides = (channels, *(max(1, side // STRIDE) for side in sides))
    with torch.no_grad():
        found = Occlusion(partial(weighted_attributes, model)).attribute(
            images, window, strides, baselines=blurred(images), additional_forward_args=(weights,)
        )
    maps: Tensor = found.sum(dim=1).clamp(min=0)
    return maps
