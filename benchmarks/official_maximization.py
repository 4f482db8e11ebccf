"""FLINT's own loop of activation maximisation, written from its description, as a reference.

600 steps of Adam on the pixels of one image: 12 times 50, each time with half the rate and a fresh
Adam, from 0.05.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from interp_by_design.explain import Maximization
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Images

N_RESTARTS = 12
N_STEPS = 50  # of each restart
RATE = 0.05


class Official(NamedTuple):
    """The end of the loop.

    Args:
        image: the image [c, h, w], not clipped.
        objective: its objective.
    """

    image: Tensor
    objective: Tensor


def official_maximization(
    model: InterpretableModel, image: Tensor, attribute: int, settings: Maximization
) -> Official:
    """Run the loop on one image and attribute.

    Args:
        model: f and g.
        image: the starting image [c, h, w] in [0, 1].
        attribute: number of the attribute.
        settings: constants of the objective.
    """
    pixels = (
        (settings.intensity * settings.units.apply(image[None])).detach().clone().requires_grad_()
    )
    with evaluating(model), torch.enable_grad():
        for outer in range(N_RESTARTS):
            optimizer = torch.optim.Adam([pixels], lr=RATE * 0.5**outer)
            for _ in range(N_STEPS):
                optimizer.zero_grad()
                loss = -official_objective(model, pixels, attribute, settings)
                (pixels.grad,) = torch.autograd.grad(loss, pixels)
                optimizer.step()
        reached = official_objective(model, pixels, attribute, settings).detach()
    return Official(settings.units.invert(pixels.detach())[0], reached)


def official_objective(
    model: InterpretableModel, pixels: Images, attribute: int, settings: Maximization
) -> Tensor:
    """Return the objective of an image.

        C phi_j - lambda_bo mean( 1[x > high or x < low] |x| )
            - lambda_tv ( mean |x_{i+1} - x_i| + mean |x_{k+1} - x_k| )

    Args:
        model: f and g.
        pixels: the image [1, c, h, w] in the units of `settings`.
        attribute: number of the attribute.
        settings: constants of the objective.
    """
    phi = _attributes(model, settings.units.invert(pixels))
    low, high = settings.within or (
        settings.units.apply(torch.full_like(pixels[:1], bound)) for bound in (0.0, 1.0)
    )
    outside = torch.where((pixels > high) | (pixels < low), pixels.abs(), 0.0).mean()
    variation = (pixels[:, :, 1:] - pixels[:, :, :-1]).abs().mean() + (
        pixels[..., 1:] - pixels[..., :-1]
    ).abs().mean()
    value: Tensor = (
        settings.gain * phi[0, attribute]
        - settings.out_of_range * outside
        - settings.variation[-1] * variation
    )
    return value


def attribute_size(model: InterpretableModel, image: Tensor, attribute: int) -> float:
    """Return an attribute's size on an image, and at least a tenth of the largest one's.

    Args:
        model: f and g.
        image: the image [c, h, w] in [0, 1].
        attribute: number of the attribute.
    """
    with evaluating(model), torch.no_grad():
        phi = _attributes(model, image[None])[0]
    return float(max(phi[attribute], phi.max() / 10)) or 1.0


def _attributes(model: InterpretableModel, images: Images) -> Tensor:
    seen = model.predictor(images)
    dictionary = getattr(model.interpreter, "dictionary", None)
    phi: Tensor = model.interpreter(seen) if dictionary is None else dictionary.dense(seen.hidden)
    return phi
