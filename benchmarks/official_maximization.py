"""FLINT's own loop of activation maximisation, written from its description: what ours is held against.

600 steps by Adam on the pixels of one image: 12 times 50, the rate 0.05 halved and Adam begun anew each time.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from interp_by_design.explain import Maximization
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Images

OUTER, INNER, RATE = 12, 50, 0.05


class Official(NamedTuple):
    """The image [c, h, w] where the loop ended, not clipped, and its objective."""

    image: Tensor
    objective: Tensor


def official_maximization(
    model: InterpretableModel, image: Tensor, attribute: int, settings: Maximization
) -> Official:
    """The loop on one pair, with the constants of `settings`, and nothing else of them."""
    pixels = (
        (settings.intensity * settings.units.apply(image[None])).detach().clone().requires_grad_()
    )
    with evaluating(model), torch.enable_grad():
        for outer in range(OUTER):
            optimizer = torch.optim.Adam([pixels], lr=RATE * 0.5**outer)
            for _ in range(INNER):
                optimizer.zero_grad()
                loss = -official_objective(model, pixels, attribute, settings)
                (pixels.grad,) = torch.autograd.grad(loss, pixels)
                optimizer.step()
        reached = official_objective(model, pixels, attribute, settings).detach()
    return Official(settings.units.invert(pixels.detach())[0], reached)


def official_objective(
    model: InterpretableModel, pixels: Images, attribute: int, settings: Maximization
) -> Tensor:
    """`C phi_j - lambda_bo mean( 1[x > high or x < low] |x| ) - lambda_tv ( mean |x_{i+1} - x_i| + mean |x_{k+1} - x_k| )`."""
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
    """What `Maximization.relative` measures an attribute by: its size on the image, and a tenth of the largest one's at least."""
    with evaluating(model), torch.no_grad():
        phi = _attributes(model, image[None])[0]
    return float(max(phi[attribute], phi.max() / 10)) or 1.0


def _attributes(model: InterpretableModel, images: Images) -> Tensor:
    seen = model.predictor(images)
    dictionary = getattr(model.interpreter, "dictionary", None)
    phi: Tensor = model.interpreter(seen) if dictionary is None else dictionary.dense(seen.hidden)
    return phi
