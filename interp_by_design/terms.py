"""The vocabulary: array types, the small frozen records that rooms hand to one another, and errors meant for the user.

Knows nothing of networks, data sets, training or files.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

# Axis names: n samples, c channels, h height, w width, classes C, attributes J.
Images = Float[Tensor, "n c h w"]
Labels = Int[Tensor, "n"]
Indices = Int[Tensor, "n"]
Logits = Float[Tensor, "n classes"]
Attributes = Float[Tensor, "n attributes"]
HeadWeights = Float[Tensor, "classes attributes"]
Scalar = Float[Tensor, ""]


class UserError(ValueError):
    """Something the user gave cannot be used. The message says what came, what was wanted and what to do."""


class UnknownName(UserError, LookupError):
    """A name that is not among the known ones."""

    @classmethod
    def among(cls, what: str, name: str, known: Iterable[str], owner: str = "") -> UnknownName:
        """The error for `name`, listing the known names and the nearest of them.

        >>> print(UnknownName.among("layer", "conv9", ["conv1", "fc1"], owner="LeNet"))
        No layer 'conv9' in LeNet. Known: conv1, fc1. Did you mean 'conv1'?
        """
        names = list(known)
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
        place = f" in {owner}" if owner else ""
        return cls(f"No {what} '{name}'{place}. Known: {', '.join(names) or 'none'}.{hint}")


def check_whole(name: str, value: object, minimum: int, maximum: int | None = None) -> int:
    """Return `value` if it is a whole number within the bounds.

    Args:
        name: what the user calls the value, such as the option's name; the message begins with it.
        value: the value to check; a bool is no number.
        minimum: the smallest value allowed.
        maximum: the largest value allowed; None for no bound.

    Returns:
        `value` itself.

    Raises:
        UserError: if `value` is not an int, or lies outside the bounds.

    >>> check_whole("epochs", 0, minimum=1)
    Traceback (most recent call last):
    interp_by_design.terms.UserError: epochs must be a whole number of at least 1, not 0.
    """
    bounds = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < minimum
        or (maximum is not None and value > maximum)
    ):
        raise UserError(f"{name} must be a whole number {bounds}, not {value!r}.")
    return value


def check_weight(name: str, value: object) -> float:
    """Return `value` if it can weigh a term of an objective: a finite number that is not negative.

    Args:
        name: the name of the weight, for the message.
        value: the value to check; a bool is no number.

    Returns:
        `value` as a float.

    Raises:
        UserError: if `value` is no number, is negative, infinite or NaN.

    >>> check_weight("beta", 1)
    1.0
    """
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not math.isfinite(value)
        or value < 0
    ):
        raise UserError(
            f"The weight {name} must be a finite number >= 0, not {value!r}; "
            "0 switches its term off."
        )
    return float(value)


class Batch(NamedTuple):
    """One mini-batch: images in [0, 1] of shape [n, c, h, w], labels [n], and each image's index in its split [n]."""

    images: Images
    labels: Labels
    indices: Indices


@dataclass(frozen=True)
class Normalisation:
    """Per-channel `(x - mean) / std` of images in [0, 1]; the identity by default."""

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or not all(s > 0 for s in self.std):
            raise UserError(
                f"A normalisation needs as many means as positive deviations, not {self.mean} and {self.std}."
            )

    def apply(self, images: Images) -> Images:
        """Images in [0, 1] to network input."""
        return (images - self._channels(self.mean, images)) / self._channels(self.std, images)

    def invert(self, images: Images) -> Images:
        """Network input back to images in [0, 1], for showing."""
        return images * self._channels(self.std, images) + self._channels(self.mean, images)

    @staticmethod
    def _channels(values: Sequence[float], like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1)


@dataclass(frozen=True)
class DataFacts:
    """What a model must know of its data: enough to build it, and to load it again where the data is not at hand."""

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    normalisation: Normalisation

    @property
    def n_classes(self) -> int:
        return len(self.class_names)


class ForwardPass(NamedTuple):
    """One pass of a predictor: its logits [n, C], and the chosen hidden layers, maps [n, c, h, w] or vectors [n, d]."""

    logits: Logits
    hidden: tuple[Tensor, ...]


class BatchWithActivations(NamedTuple):
    """A mini-batch and what a frozen predictor makes of it; floats of the pass may be of half precision."""

    batch: Batch
    seen: ForwardPass

    @property
    def labels(self) -> Labels:
        """The batch's, so that whoever counts samples need not know which kind of batch it is."""
        return self.batch.labels


class Interpretation(NamedTuple):
    """What the pair (f, g) says of a batch; `reconstruction` is in [0, 1] image units, or None where it was not asked for."""

    predictor: Logits
    interpreter: Logits
    attributes: Attributes
    reconstruction: Images | None


@dataclass(frozen=True)
class InterpretationTable:
    """One pass of a data set through the pair, one row a sample: everything that metrics and explanations read.

    Squared errors are means over an image's pixels, in [0, 1] image units: of the decoder's image,
    and of the mean train image of the class that f decides (for `within_class_explained`). Either
    column is NaN throughout where it was not computed.
    """

    indices: Indices
    labels: Labels
    predictor: Logits
    interpreter: Logits
    attributes: Attributes
    reconstruction_error: Float[Tensor, "n"]
    class_mean_error: Float[Tensor, "n"]
    head_weights: HeadWeights
    head_bias: Float[Tensor, "classes"]

    def __len__(self) -> int:
        return self.labels.shape[0]

    @property
    def contributions(self) -> Attributes:
        """`alpha_j = phi_j w_{j,c(x)}` for the class c(x) that g decides (FLINT, section 3.3)."""
        return self.attributes * self.head_weights[self.interpreter.argmax(dim=1)]


@dataclass(frozen=True, eq=False)
class Concepts:
    """What a data set tells of its images beside their class: which of the concepts `names` each image of a split has.

    `present` [n, concepts], in the order of the split's indices.
    """

    names: tuple[str, ...]
    present: Bool[Tensor, "n concepts"]


@dataclass(frozen=True)
class AttributeNames:
    """What a person reads in attributes: words by the attribute's number. A reading, not a fact, and shown as one, in quotes."""

    names: Mapping[int, str] = field(default_factory=dict)

    def get(self, attribute: int) -> str | None:
        """The words for an attribute; None for one that nobody has named."""
        return self.names.get(attribute)

    def label(self, attribute: int) -> str:
        """How every table and figure calls it.

        >>> AttributeNames({3: "closed loop"}).label(3), AttributeNames().label(4)
        ('φ3 “closed loop”', 'φ4')
        """
        name = self.get(attribute)
        return f"φ{attribute}" if name is None else f"φ{attribute} “{name}”"


NAMELESS = AttributeNames()  # of attributes that nobody has named yet
