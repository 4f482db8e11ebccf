"""Activation maximisation with partial initialisation (FLINT's AM+PI): what makes an attribute larger still, from an image on.

All pairs of an attribute and an image are climbed side by side; none knows of the others. Does not choose the images.
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
FIRST, SECOND, TINY = (
    0.8,
    0.99,
    1e-8,
)  # Adam's; its usual 0.9 and 0.999 remember too long for so short a climb
WARM = 0.15  # the part of a climb in which the rate rises
STILL = [0, 0]  # no shift
FORGET = 0.05  # of what was reached lately, with each step
RISE = 1e-3  # of an objective, relative: what counts as one
SILENT = 0.1  # of the largest attribute on an image: the least that an attribute is measured by

PerPair = Float[Tensor, "p"]


@final
@dataclass(frozen=True, eq=False)
class Maximized:
    """Where the climbs ended, one row a pair, on the CPU.

    images: [p, c, h, w], clipped to [0, 1]. start_values, end_values: φ_j as g decides with it, on the low-contrast copy that the
    climb started from, and on `images`. objective: at the end, before the image was clipped. steps: that the climb took.
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
    """Changes image i, of `starts` [p, c, h, w] in [0, 1], so that attribute `attributes[i]` grows.

    settings: what is climbed; by default what suits the model's images. chunk: pairs at once, by default as many as take a few
    hundred MiB. seed: of the shifts.

    The attribute is taken before it competes for a place, where it does: one without a place has no gradient. A pair comes out
    the same, but for rounding, whatever the others are. The model is left as it was, gradients included.

    Raises `UserError` for images of another shape, or with NaN, for an attribute that there is not, and where an objective
    becomes NaN.

    Source: FLINT, section 3.3 and supplement. Departs from its code in the schedule: one short climb, whose best image is kept,
    for 600 steps by Adam that is begun anew every 50, at half the rate.
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
    hill = _Hill(model, images, attributes, settings)
    draws = torch.Generator().manual_seed(seed)
    pixels = settings.intensity * settings.units.apply(images)
    steps = torch.zeros_like(attributes)
    start = settings.units.invert(pixels).clamp(0, 1)
    for variation in settings.variation:
        shifts = torch.randint(
            -settings.jitter, settings.jitter + 1, (settings.steps, 2), generator=draws
        ).tolist()
        pixels, objective, taken = _climbed(hill, pixels, variation, shifts)
        _require_finite(objective, attributes)
        steps += taken
    end = settings.units.invert(pixels).clamp(0, 1)
    reached = [
        interpreted(model, given).attributes.gather(1, attributes[:, None])[:, 0]
        for given in (start, end)
    ]
    return end, *reached, objective, steps


@final
class _Hill:
    """The objective of each of some pairs, over pixels in `settings.units`."""

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
            scale = torch.maximum(own, SILENT * dense.amax(dim=1))
            self.scale = scale.where(scale > 0, 1)

    def objective(
        self, pixels: Images, rows: Indices, variation: float, shift: list[int]
    ) -> PerPair:
        """`C phi_j(x) / s - lambda_bo Bo(x) - lambda_tv TV(x)` of the pairs `rows`, with the image shifted for φ_j."""
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
        """The objective and its gradient; none is left at the model's parameters."""
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
        """Pixels that stand for values in [0, 1], where they have to."""
        return pixels.clamp(self.low, self.high) if self.settings.bounded else pixels


def total_variation(pixels: Images) -> PerPair:
    """`mean |x_{i+1,k} - x_{i,k}| + mean |x_{i,k+1} - x_{i,k}|` of each image. Source: FLINT's official code; anisotropic, L1."""
    down = (pixels[:, :, 1:] - pixels[:, :, :-1]).abs()
    right = (pixels[..., 1:] - pixels[..., :-1]).abs()
    return down.flatten(1).mean(dim=1) + right.flatten(1).mean(dim=1)


def out_of_range(pixels: Images, low: Tensor | float, high: Tensor | float) -> PerPair:
    """`mean( 1[x < low or x > high] |x| )` of each image. Source: FLINT's official code."""
    return (pixels.abs() * ((pixels < low) | (pixels > high))).flatten(1).mean(dim=1)


def _climbed(
    hill: _Hill, pixels: Images, variation: float, shifts: list[list[int]]
) -> tuple[Images, PerPair, Tensor]:
    """The images at the end, their objectives, and the steps that each pair took; a pair that has not risen for long leaves."""
    settings, pairs = hill.settings, torch.arange(len(pixels), device=pixels.device)
    seen, adam, rows = _Seen(pixels, settings.jitter > 0), _Adam(pixels), pairs
    steps = torch.zeros_like(pairs)
    for step, shift in enumerate(shifts):
        value, gradient = hill.slope(pixels, rows, variation, shift)
        seen.see(rows, pixels, value)
        pixels = hill.inside(
            pixels + settings.rate * _share(step / len(shifts)) * adam.direction(gradient)
        )
        steps[rows] += 1
        climbing = seen.since[rows] < settings.patience
        if not climbing.all():
            rows, pixels = rows[climbing], pixels[climbing]
            adam.keep(climbing)
        if not len(rows):
            break
    with torch.no_grad():
        seen.see(rows, pixels, hill.objective(pixels, rows, variation, STILL))
        return seen.images, hill.objective(seen.images, pairs, variation, STILL), steps


def _share(progress: float) -> float:
    """Of the highest rate: a straight rise from a tenth, then half a cosine, squared, down to 0."""
    if progress < WARM:
        return 0.1 + 0.9 * progress / WARM
    half: float = 0.5 + 0.5 * math.cos(math.pi * (progress - WARM) / (1 - WARM))
    return half**2


@final
class _Seen:
    """The best image of each pair, or its `last` where every step sees it shifted: then the best is but the luckiest.

    A rise is one above what was reached lately, which is forgotten little by little: the first steps may well lead down.
    """

    def __init__(self, images: Images, last: bool) -> None:
        self.images, self.last = images.clone(), last
        self.best = images.new_full((len(images),), -math.inf)
        self.level = self.best.clone()
        self.since = torch.zeros(
            len(images), dtype=torch.long, device=images.device
        )  # steps without a rise

    def see(self, rows: Indices, images: Images, value: PerPair) -> None:
        """What the pairs `rows` are now, and how high."""
        best, level = self.best[rows], self.level[rows]
        better, risen = value > best, value > level + RISE * level.abs()
        risen |= level.isinf()
        self.images[rows] = images.where(
            (better | self.last)[:, None, None, None], self.images[rows]
        )
        self.best[rows] = torch.maximum(value, best)
        self.level[rows] = torch.where(risen, value, level + FORGET * (value - level))
        self.since[rows] = torch.where(risen, 0, self.since[rows] + 1)


@final
class _Adam:
    """Adam's direction, uphill. It is elementwise, so that no pair moves another."""

    def __init__(self, pixels: Images) -> None:
        self.first, self.second, self.steps = torch.zeros_like(pixels), torch.zeros_like(pixels), 0

    def direction(self, gradient: Images) -> Images:
        """Where to go now; about 1 in size for each pixel."""
        self.steps += 1
        self.first.lerp_(gradient, 1 - FIRST)
        self.second.lerp_(gradient.square(), 1 - SECOND)
        spread = self.second.div(1 - SECOND**self.steps).sqrt_().add_(TINY)
        return self.first.div(1 - FIRST**self.steps).div_(spread)

    def keep(self, climbing: Tensor) -> None:
        """Forgets the pairs that have left."""
        self.first, self.second = self.first[climbing], self.second[climbing]


def _check(
    model: InterpretableModel, starts: Images, attributes: Indices, chunk: int | None
) -> None:
    n_attributes, wanted = model.interpreter.n_attributes, tuple(model.facts.image_shape)
    if tuple(starts.shape[1:]) != wanted:
        raise UserError(
            f"This model takes images of shape {wanted}; maximization was to start from {tuple(starts.shape[1:])}."
        )
    if len(attributes) != len(starts):
        raise UserError(
            f"Maximization takes an attribute for each image, not {len(attributes)} for {len(starts)}."
        )
    if len(attributes) and not 0 <= int(attributes.min()) <= int(attributes.max()) < n_attributes:
        named = sorted(set(attributes.tolist()))
        raise UserError(
            f"Attributes run from 0 to {n_attributes - 1}, and {named} were to be maximized."
        )
    if not bool(torch.isfinite(starts).all()):
        raise UserError(
            "An image that maximization was to start from holds NaN or an infinity. Check how it was read."
        )
    if chunk is not None:
        check_whole("chunk", chunk, minimum=1)


def _require_finite(objective: PerPair, attributes: Indices) -> None:
    if not bool(torch.isfinite(objective).all()):
        named = sorted(set(attributes[~torch.isfinite(objective)].tolist()))
        raise UserError(
            f"The objective of attributes {named} became NaN or infinite. Look for weights that are, and for a predictor that "
            "diverged; preset 'grey', 'colour' or 'large' keeps pixels within [0, 1]."
        )
