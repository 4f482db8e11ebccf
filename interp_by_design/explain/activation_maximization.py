"""Activation maximisation with partial initialisation (FLINT's AM+PI).

All pairs of an attribute and an image are optimised together, independently of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.explain.deletion import interpreted
from interp_by_design.explain.maximization import (
    PRESETS,
    Maximization,
    maximization_for,
    preset_named,
)
from interp_by_design.explain.target import dense_attributes
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Images, Indices, UserError, check_whole

__all__ = ["PRESETS", "Maximization", "Maximized", "maximization_for", "maximize", "preset_named"]

MAX_PAIRS = 64  # optimised together
MAX_VALUES = 2**20  # of the images of the pairs that are optimised together
# Adam's; its usual 0.9 and 0.999 remember too long for so short a run.
BETA_1 = 0.8
BETA_2 = 0.99
EPSILON = 1e-8
WARM_UP = 0.15  # the part of a climb in which the rate rises
NO_SHIFT = [0, 0]  # no shift
DECAY = 0.05  # of what was reached lately, with each step
MIN_RISE = 1e-3  # of an objective, relative: what counts as one
MIN_SCALE = 0.1  # of the largest attribute on an image: the least that an attribute is measured by

PerPair = Float[Tensor, "p"]


@final
@dataclass(frozen=True, eq=False)
class Maximized:
    """The end of each optimisation, one row a pair, on the CPU.

    Args:
        images: [p, c, h, w], clipped to [0, 1].
        start_values: φ_j as g uses it, on the low-contrast copy that the optimisation starts from,
            [p].
        end_values: φ_j as g uses it, on `images`, [p].
        objective: At the end, before the image is clipped, [p].
        steps: Number of steps, [p].
    """

    images: Float[Tensor, "p c h w"]
    start_values: PerPair
    end_values: PerPair
    objective: PerPair
    steps: Int[Tensor, "p"]

    def __len__(self) -> int:
        return self.images.shape[0]


def maximize(
    model: InterpretableModel,
    starts: Images,
    attributes: Indices,
    settings: Maximization | None = None,
    chunk: int | None = None,
    seed: int = 0,
) -> Maximized:
    """Change image i so that attribute `attributes[i]` grows.

    The attribute is taken before it competes with others: one that loses has no gradient. A pair
    gives the same result for any other pairs, except for rounding. The model is unchanged,
    gradients included.

    Source: FLINT, section 3.3 and supplement. Departs from its code in the schedule: one short run
        whose
    best image is kept, instead of 600 steps of Adam, restarted every 50, at half the rate.

    Args:
        model: f and g.
        starts: [p, c, h, w] in [0, 1].
        attributes: One for each image, [p].
        settings: The objective; by default one that suits the model's images.
        chunk: Pairs in one pass; by default as many as take a few hundred MiB.
        seed: Of the shifts.

    Returns:
        The images and their values.

    Raises:
        UserError: If images have another shape or NaN, there is no such attribute, or an objective
            becomes NaN.
    """
    settings = settings or maximization_for(model.facts)
    _check(model, starts, attributes, chunk)
    if not len(starts):
        none = torch.zeros(0)
        return Maximized(starts.detach().cpu(), none, none, none, torch.zeros(0, dtype=torch.long))
    chunk = chunk or images_per_pass(starts.shape[1:], MAX_PAIRS, MAX_VALUES)
    weights = model.interpreter.head.weights
    with evaluating(model), torch.inference_mode(False):
        starts = (
            starts.detach().clone().to(weights)
        )  # an image of inference mode is freed from it by the clone
        parts = [
            _maximized(model, images, chosen, settings, seed)
            for images, chosen in zip(
                torch.split(starts, chunk),
                torch.split(attributes.to(weights.device).long(), chunk),
                strict=True,
            )
        ]
    images, start, end, objective, steps = (
        torch.cat(part).cpu() for part in zip(*parts, strict=True)
    )
    return Maximized(images, start, end, objective, steps)


def _maximized(
    model: InterpretableModel,
    images: Images,
    attributes: Indices,
    settings: Maximization,
    seed: int,
) -> tuple[Tensor, ...]:
    goal = _Objective(model, images, attributes, settings)
    draws = torch.Generator().manual_seed(seed)
    pixels = settings.intensity * settings.units.apply(images)
    steps = torch.zeros_like(attributes)
    start = settings.units.invert(pixels).clamp(0, 1)
    for variation in settings.variation:
        shifts = torch.randint(
            -settings.jitter, settings.jitter + 1, (settings.steps, 2), generator=draws
        ).tolist()
        pixels, objective, taken = _optimised(goal, pixels, variation, shifts)
        _require_finite(objective, attributes)
        steps += taken
    end = settings.units.invert(pixels).clamp(0, 1)
    reached = [
        interpreted(model, given).attributes.gather(1, attributes[:, None])[:, 0]
        for given in (start, end)
    ]
    return end, *reached, objective, steps


@final
class _Objective:
    """Objective of some pairs, over pixels in `settings.units`."""

    def __init__(
        self, model: InterpretableModel, images: Images, attributes: Indices, settings: Maximization
    ) -> None:
        self.model, self.attributes, self.settings = model, attributes, settings
        self.low, self.high = (
            settings.units.apply(torch.full_like(images[:1], bound)) for bound in (0.0, 1.0)
        )
        self.scale = torch.ones_like(images[:, 0, 0, 0])
        if settings.relative:
            with torch.no_grad():
                dense = dense_attributes(model, images)
            own = dense.gather(1, attributes[:, None])[:, 0]
            scale = torch.maximum(own, MIN_SCALE * dense.amax(dim=1))
            self.scale = scale.where(scale > 0, 1)

    def objective(
        self, pixels: Images, rows: Indices, variation: float, shift: list[int]
    ) -> PerPair:
        """Compute `C phi_j(x) / s - lambda_bo Bo(x) - lambda_tv TV(x)`, φ_j of a shifted image."""
        settings = self.settings
        shown = settings.units.invert(pixels.roll(shift, (2, 3)) if any(shift) else pixels)
        phi = dense_attributes(self.model, shown).gather(1, self.attributes[rows, None])[:, 0]
        value = settings.gain * phi / self.scale[rows] - variation * total_variation(pixels)
        if settings.bounded and settings.within is None:
            return value  # nothing is out of range
        low, high = settings.within or (self.low, self.high)
        return value - settings.out_of_range * out_of_range(pixels, low, high)

    def slope(
        self, pixels: Images, rows: Indices, variation: float, shift: list[int]
    ) -> tuple[PerPair, Images]:
        """Return the objective and its gradient; parameters get no gradient."""
        with torch.enable_grad():
            pixels = pixels.detach().requires_grad_()
            value = self.objective(pixels, rows, variation, shift)
            if (
                not value.requires_grad
            ):  # an interpreter may let no gradient through, as the relabelled control does
                return value, torch.zeros_like(pixels)
            (gradient,) = torch.autograd.grad(value.sum(), pixels)
        return value.detach(), gradient

    def inside(self, pixels: Images) -> Images:
        """Clip pixels to values in [0, 1], if the settings ask for it."""
        return pixels.clamp(self.low, self.high) if self.settings.bounded else pixels


def total_variation(pixels: Images) -> PerPair:
    """Compute `mean |x_{i+1,k} - x_{i,k}| + mean |x_{i,k+1} - x_{i,k}|` of each image.

    Source: FLINT's official code; anisotropic, L1.

    Args:
        pixels: [p, c, h, w].

    Returns:
        The variation, [p].
    """
    down = (pixels[:, :, 1:] - pixels[:, :, :-1]).abs()
    right = (pixels[..., 1:] - pixels[..., :-1]).abs()
    return down.flatten(1).mean(dim=1) + right.flatten(1).mean(dim=1)


def out_of_range(pixels: Images, low: Tensor | float, high: Tensor | float) -> PerPair:
    """Compute `mean( 1[x < low or x > high] |x| )` of each image. Source: FLINT's official code.

    Args:
        pixels: [p, c, h, w].
        low: Lower bound.
        high: Upper bound.

    Returns:
        The penalty, [p].
    """
    return (pixels.abs() * ((pixels < low) | (pixels > high))).flatten(1).mean(dim=1)


def _optimised(
    goal: _Objective, pixels: Images, variation: float, shifts: list[list[int]]
) -> tuple[Images, PerPair, Tensor]:
    """Return images, objectives and steps of each pair; a pair that stops rising is finished."""
    settings, pairs = goal.settings, torch.arange(len(pixels), device=pixels.device)
    seen, adam, rows = _Best(pixels, settings.jitter > 0), _Adam(pixels), pairs
    steps = torch.zeros_like(pairs)
    for step, shift in enumerate(shifts):
        value, gradient = goal.slope(pixels, rows, variation, shift)
        seen.see(rows, pixels, value)
        pixels = goal.inside(
            pixels + settings.rate * _share(step / len(shifts)) * adam.direction(gradient)
        )
        steps[rows] += 1
        rising = seen.since[rows] < settings.patience
        if not rising.all():
            rows, pixels = rows[rising], pixels[rising]
            adam.keep(rising)
        if not len(rows):
            break
    with torch.no_grad():
        seen.see(rows, pixels, goal.objective(pixels, rows, variation, NO_SHIFT))
        return seen.images, goal.objective(seen.images, pairs, variation, NO_SHIFT), steps


def _share(progress: float) -> float:
    """Return the share of the highest rate: a linear rise, then half a cosine, squared."""
    if progress < WARM_UP:
        return 0.1 + 0.9 * progress / WARM_UP
    half: float = 0.5 + 0.5 * math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))
    return half**2


@final
class _Best:
    """Best image of each pair, or the last one where every step sees a shifted image.

    Under shifts the best image is only the luckiest. A rise is compared with what was reached
    lately, which decays: the first steps may lead down.
    """

    def __init__(self, images: Images, last: bool) -> None:
        self.images, self.last = images.clone(), last
        self.best = images.new_full((len(images),), -math.inf)
        self.level = self.best.clone()
        self.since = torch.zeros(
            len(images), dtype=torch.long, device=images.device
        )  # steps without a rise

    def see(self, rows: Indices, images: Images, value: PerPair) -> None:
        """Record the images and values of the pairs `rows`."""
        best, level = self.best[rows], self.level[rows]
        better, risen = value > best, value > level + MIN_RISE * level.abs()
        risen |= level.isinf()
        self.images[rows] = images.where(
            (better | self.last)[:, None, None, None], self.images[rows]
        )
        self.best[rows] = torch.maximum(value, best)
        self.level[rows] = torch.where(risen, value, level + DECAY * (value - level))
        self.since[rows] = torch.where(risen, 0, self.since[rows] + 1)


@final
class _Adam:
    """Adam's direction, upgoal. It is elementwise, so that no pair moves another."""

    def __init__(self, pixels: Images) -> None:
        self.first, self.second, self.steps = torch.zeros_like(pixels), torch.zeros_like(pixels), 0

    def direction(self, gradient: Images) -> Images:
        """Where to go now; about 1 in size for each pixel."""
        self.steps += 1
        self.first.lerp_(gradient, 1 - BETA_1)
        self.second.lerp_(gradient.square(), 1 - BETA_2)
        spread = self.second.div(1 - BETA_2**self.steps).sqrt_().add_(EPSILON)
        return self.first.div(1 - BETA_1**self.steps).div_(spread)

    def keep(self, rising: Tensor) -> None:
        """Forgets the pairs that have left."""
        self.first, self.second = self.first[rising], self.second[rising]


def _check(
    model: InterpretableModel, starts: Images, attributes: Indices, chunk: int | None
) -> None:
    n_attributes, wanted = model.interpreter.n_attributes, tuple(model.facts.image_shape)
    if tuple(starts.shape[1:]) != wanted:
        raise UserError(
            f"This model takes images of shape {wanted}; maximization was to start from "
            f"{tuple(starts.shape[1:])}."
        )
    if len(attributes) != len(starts):
        raise UserError(
            f"Maximization takes an attribute for each image, not {len(attributes)} for "
            f"{len(starts)}."
        )
    if len(attributes) and not 0 <= int(attributes.min()) <= int(attributes.max()) < n_attributes:
        named = sorted(set(attributes.tolist()))
        raise UserError(
            f"Attributes run from 0 to {n_attributes - 1}, and {named} were to be maximized."
        )
    if not bool(torch.isfinite(starts).all()):
        raise UserError(
            "An image that maximization was to start from holds NaN or an infinity. Check how it "
            "was read."
        )
    if chunk is not None:
        check_whole("chunk", chunk, minimum=1)


def _require_finite(objective: PerPair, attributes: Indices) -> None:
    if not bool(torch.isfinite(objective).all()):
        named = sorted(set(attributes[~torch.isfinite(objective)].tolist()))
        raise UserError(
            f"The objective of attributes {named} became NaN or infinite. Look for weights that "
            "are, and for a predictor that "
            "diverged; preset 'grey', 'colour' or 'large' keeps pixels within [0, 1]."
        )
