"""Settings of activation maximisation: objective, schedule, and presets for kinds of images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import final

from interp_by_design.terms import DataFacts, Normalisation, UnknownName, UserError, check_whole

CIFAR = Normalisation((0.4914, 0.4822, 0.4465), (0.247, 0.243, 0.261))
IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
GREYISH = Normalisation(
    (0.45,), (0.25,)
)  # of photographs, where channels are not red, green and blue
SMALL = 64  # pixels: above it an image is large
SIDES = {"grey": 28, "colour": 32, "large": 224}  # of the images that our presets are for


@final
@dataclass(frozen=True)
class Maximization:
    """Settings of `maximise C phi_j(x) / s - lambda_bo Bo(x) - lambda_tv TV(x)`, x in `units`.

    Args:
        gain: C.
        out_of_range: λ_bo.
        variation: λ_tv; several are several runs, each from the end of the one before.
        within: Bounds of x in Bo, in `units`; None for those of images.
        units: x is `(image - mean) / std`, normalised as in the paper for such images; independent
            of the network's normalisation.
        intensity: A run starts from `intensity` times the image, in `units`: a low-contrast copy.
        relative: Whether s is the attribute's size on the image, at least a tenth of that of the
            largest attribute, so that one set of constants serves any scale; otherwise s is 1.
        bounded: Whether pixels are clipped to [0, 1] after each step.
        steps: Steps of each run, of Adam.
        rate: The highest learning rate; it rises to that, then falls to 0.
        jitter: Largest shift of the image in pixels, around its edges, before each step.
        patience: A pair whose objective has not risen in so many steps is finished.

    Raises:
        UserError: If a number is invalid.
    """

    gain: float = 2.0
    out_of_range: float = 10.0
    variation: tuple[float, ...] = (6.0,)
    within: tuple[float, float] | None = None
    units: Normalisation = Normalisation()  # noqa: RUF009  # frozen itself
    intensity: float = 0.3
    relative: bool = False
    bounded: bool = False
    steps: int = 120
    rate: float = 0.5
    jitter: int = 0
    patience: int = 40

    def __post_init__(self) -> None:
        counts = {
            "steps": (self.steps, 1),
            "jitter": (self.jitter, 0),
            "patience": (self.patience, 1),
        }
        for name, (given, least) in counts.items():
            check_whole(f"{name} of a maximization", given, minimum=least)
        numbers = (self.gain, self.rate, self.out_of_range, self.intensity, *self.variation)
        if not (
            self.variation
            and all(0 <= each < math.inf for each in numbers)
            and self.gain
            and self.rate
        ):
            raise UserError(
                "The numbers of a maximization are not negative, and gain and rate are not 0: "
                f"{self} cannot be."
            )


_GREY = Maximization(
    gain=2.0, out_of_range=10.0, variation=(6.0,), within=(0.0, 1.0), intensity=0.3
)
_COLOUR = Maximization(gain=2.0, out_of_range=20.0, within=(-2.5, 2.5), rate=0.4)
_CIFAR = replace(_COLOUR, variation=(20.0,), units=CIFAR, intensity=0.4)
_CUB = replace(_COLOUR, gain=4.0, variation=(80.0, 240.0), units=IMAGENET, intensity=0.5, jitter=10)

# The first three are ours, the others the paper's. Those were found for attributes that grow slowly
# with the image. Ours do not: with them the best image of MNIST has pixels from -5 to 5, and what
# is left of it between 0 and 1 is noise. Hence the scale of each attribute, the bounds, and the
# small shifts, which keep what is found from being a texture of single pixels.
PRESETS: Mapping[str, Maximization] = MappingProxyType(
    {
        "grey": replace(_GREY, gain=1.0, relative=True, bounded=True, within=None),
        "colour": replace(_CIFAR, gain=4.0, relative=True, bounded=True, within=None, jitter=2),
        "large": replace(
            _CUB, relative=True, bounded=True, within=None, variation=(240.0,), steps=50, rate=0.2
        ),
        "mnist_global": _GREY,
        "mnist_local": _GREY,
        "cifar_global": _CIFAR,
        "cifar_local": replace(_CIFAR, intensity=0.6),
        "cub": _CUB,
    }
)


def maximization_for(facts: DataFacts) -> Maximization:
    """Return the preset for such images.

    It is `grey` for one channel, `colour` up to 64 pixels, else `large`.

    The total variation of a picture falls as its side grows, so that its weight grows with it.
    Colours are changed in the units that the data set is normalised to, if it has some.

    Args:
        facts: Of the images.

    Returns:
        The settings.
    """
    channels, *sides = facts.image_shape
    name = "grey" if channels == 1 else "colour" if max(sides) <= SMALL else "large"
    preset = PRESETS[name]
    larger = math.sqrt(math.prod(sides)) / SIDES[name]
    preset = replace(preset, variation=tuple(weight * larger for weight in preset.variation))
    if channels == 1:
        return preset
    if any(facts.normalisation.mean) or set(facts.normalisation.std) != {1.0}:
        return replace(preset, units=facts.normalisation)
    return preset if channels == 3 else replace(preset, units=GREYISH)


def preset_named(name: str) -> Maximization:
    """Return one of `PRESETS`.

    Args:
        name: Its name.

    Returns:
        The settings.

    Raises:
        UnknownName: For another name.
    """
    if name not in PRESETS:
        raise UnknownName.among("preset", name, PRESETS, owner="maximization")
    return PRESETS[name]
