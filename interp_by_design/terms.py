"""Shared types: array aliases, frozen records, checks, and user errors."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

SPLITS = ("train", "val", "test")  # of every data set

# Axis names: n samples, c channels, h height, w width, classes C, attributes J.
Images = Float[Tensor, "n c h w"]
Labels = Int[Tensor, "n"]
Indices = Int[Tensor, "n"]
Logits = Float[Tensor, "n classes"]
Attributes = Float[Tensor, "n attributes"]
HeadWeights = Float[Tensor, "classes attributes"]
Scalar = Float[Tensor, ""]


class UserError(ValueError):
    """Something that the user gave cannot be used: what came, what was wanted, what to do."""


class UnknownName(UserError, LookupError):
    """A name that is not among the known ones."""

    @classmethod
    def among(cls, what: str, name: str, known: Iterable[str], owner: str = "") -> UnknownName:
        """Return the error for `name`, with the known names and the nearest of them.

        Args:
            what: What the name is of.
            name: The unknown name.
            known: The known names.
            owner: What has the known names.

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
    """Per-channel `(x - mean) / std` of images in [0, 1]; the identity by default.

    Args:
        mean: One value a channel.
        std: One positive value a channel.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or not all(s > 0 for s in self.std):
            raise UserError(
                f"A normalisation needs as many means as positive deviations, not {self.mean} and "
                f"{self.std}."
            )

    def apply(self, images: Images) -> Images:
        """Convert images to network input.

        Args:
            images: [n, c, h, w] in [0, 1].
        """
        return (images - self._channels(self.mean, images)) / self._channels(self.std, images)

    def invert(self, images: Images) -> Images:
        """Convert network input to images in [0, 1].

        Args:
            images: [n, c, h, w].
        """
        return images * self._channels(self.std, images) + self._channels(self.mean, images)

    @staticmethod
    def _channels(values: Sequence[float], like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1)


@dataclass(frozen=True)
class DataFacts:
    """What a model needs to know of its data, also to be loaded without it.

    Args:
        image_shape: (c, h, w).
        class_names: In the order of the labels.
        normalisation: Of the images.
    """

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    normalisation: Normalisation

    @property
    def n_classes(self) -> int:
        return len(self.class_names)


class ForwardPass(NamedTuple):
    """Logits [n, C] of a predictor, and its hidden layers, [n, c, h, w] or [n, d] each."""

    logits: Logits
    hidden: tuple[Tensor, ...]


class BatchWithActivations(NamedTuple):
    """A mini-batch and its forward pass; floats of the pass may be of half precision."""

    batch: Batch
    seen: ForwardPass

    @property
    def labels(self) -> Labels:
        """The labels of the batch, as `Batch` has them."""
        return self.batch.labels


class Interpretation(NamedTuple):
    """What f and g compute on a batch; `reconstruction` is in [0, 1], or None if not computed."""

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
    """The concepts that label the images of a split.

    Args:
        names: the concepts, such as "texture is striped".
        present: [n, concepts], whether an image has a concept; in the order of the split.
    """

    names: tuple[str, ...]
    present: Bool[Tensor, "n concepts"]


FactorKind = Literal["continuous", "discrete", "binary", "angle"]
FACTOR_KINDS: tuple[FactorKind, ...] = get_args(FactorKind)


@dataclass(frozen=True, eq=False)
class Factors:
    """The generative factors of the images of a split: one row per image, one column per factor.

    Args:
        names: the factors, all different.
        values: [n, F], float64. A discrete or binary factor holds the position of its value in
            `value_names`, an angle is in radians; NaN where a value is unknown.
        kinds: of each factor, one of `FACTOR_KINDS`.
        causal: of each factor, whether the label depends on it; the others are nuisances.
        value_names: the names of the values of each discrete and binary factor, by factor.

    Raises:
        UserError: if names, values, kinds, causal and value_names do not fit together.

    >>> values = torch.tensor([[0, 0.2], [1, 0.5], [1, 0.9]], dtype=torch.float64)
    >>> factors = Factors(
    ...     ("shape", "size"), values, ("binary", "continuous"), (True, False),
    ...     {"shape": ("disc", "square")},
    ... )
    >>> factors.column("size").tolist(), factors.value_of("shape", 2)
    ([0.2, 0.5, 0.9], 'square')
    >>> factors.concepts().names
    ('shape is disc', 'shape is square')
    """

    names: tuple[str, ...]
    values: Float64[Tensor, "n factors"]
    kinds: tuple[FactorKind, ...]
    causal: tuple[bool, ...]
    value_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {len(self.names), self.values.shape[1], len(self.kinds), len(self.causal)}
        if len(counts) > 1 or len(set(self.names)) < len(self.names):
            raise UserError(
                f"{len(self.names)} factors came with {self.values.shape[1]} columns, "
                f"{len(self.kinds)} kinds and {len(self.causal)} causal flags. "
                "Give one of each per factor, and every factor its own name."
            )
        for name, kind in zip(self.names, self.kinds, strict=True):
            if kind not in FACTOR_KINDS:
                raise UnknownName.among("kind of factor", str(kind), FACTOR_KINDS)
            if kind in ("discrete", "binary"):
                self._check_positions(name, kind)

    def __len__(self) -> int:
        return self.values.shape[0]

    def column(self, name: str) -> Float64[Tensor, "n"]:
        """Return the values of one factor.

        Args:
            name: the factor.

        Returns:
            The values [n]; NaN where one is unknown.

        Raises:
            UnknownName: if there is no such factor.
        """
        return self.values[:, self._position(name)]

    def kind(self, name: str) -> FactorKind:
        """Return the kind of one factor.

        Args:
            name: the factor.

        Returns:
            One of `FACTOR_KINDS`.

        Raises:
            UnknownName: if there is no such factor.
        """
        return self.kinds[self._position(name)]

    def value_of(self, name: str, row: int) -> str | float | None:
        """Return one factor of one image, as people say it.

        Args:
            name: the factor.
            row: the image's row.

        Returns:
            The name of a discrete or binary value, else the number; None where it is unknown.

        Raises:
            UnknownName: if there is no such factor.
        """
        value = float(self.column(name)[row])
        if math.isnan(value):
            return None
        return self.value_names[name][int(value)] if name in self.value_names else value

    def select(self, rows: Indices | slice) -> Factors:
        """Return the factors of some images.

        Args:
            rows: indices of rows, or a slice.

        Returns:
            The factors of these images, in the order of `rows`.
        """
        return replace(self, values=self.values[rows])

    def only(self, names: Iterable[str]) -> Factors:
        """Return some of the factors.

        Args:
            names: the factors to keep.

        Returns:
            These factors of all images, in the order of `names`.

        Raises:
            UnknownName: if there is no such factor.
        """
        positions = [self._position(name) for name in names]
        kept = tuple(self.names[i] for i in positions)
        return Factors(
            kept,
            self.values[:, positions],
            tuple(self.kinds[i] for i in positions),
            tuple(self.causal[i] for i in positions),
            {name: self.value_names[name] for name in kept if name in self.value_names},
        )

    def concepts(self) -> Concepts:
        """Return a concept for each value of each discrete or binary factor.

        Returns:
            Concepts such as "texture is striped"; an image whose value is unknown has none of them.
        """
        named = [(name, value) for name in self.names for value in self.value_names.get(name, ())]
        present = [
            self.column(name) == self.value_names[name].index(value) for name, value in named
        ]
        return Concepts(
            tuple(f"{name} is {value}" for name, value in named),
            torch.stack(present, dim=1) if present else torch.zeros(len(self), 0).bool(),
        )

    def _position(self, name: str) -> int:
        if name not in self.names:
            raise UnknownName.among("factor", name, self.names)
        return self.names.index(name)

    def _check_positions(self, name: str, kind: FactorKind) -> None:
        levels, column = len(self.value_names.get(name, ())), self.column(name)
        known = column[~column.isnan()]
        fits = levels == 2 if kind == "binary" else levels > 0
        if not fits or not torch.isin(known, torch.arange(levels, dtype=known.dtype)).all():
            raise UserError(
                f"The {kind} factor '{name}' has {levels} named values, and columns must hold "
                f"their positions (0, 1, ...). Give {'two' if kind == 'binary' else 'the'} names "
                "in value_names, and positions in values."
            )


@dataclass(frozen=True)
class AttributeNames:
    """Words that a person gave to attributes, by number. They are shown in quotes.

    Args:
        names: Words by the attribute's number.
    """

    names: Mapping[int, str] = field(default_factory=dict)

    def get(self, attribute: int) -> str | None:
        """Return the words for an attribute; None if it has none.

        Args:
            attribute: Its number.
        """
        return self.names.get(attribute)

    def label(self, attribute: int) -> str:
        """Return how tables and figures call an attribute.

        Args:
            attribute: Its number.

        >>> AttributeNames({3: "closed loop"}).label(3), AttributeNames().label(4)
        ('φ3 “closed loop”', 'φ4')
        """
        name = self.get(attribute)
        return f"φ{attribute}" if name is None else f"φ{attribute} “{name}”"


NAMELESS = AttributeNames()  # of attributes that nobody has named yet

TAU = 5.0  # default of tau; the gate on conciseness uses it too


def relative_to_largest(values: Float[Tensor, "*any k"]) -> Float[Tensor, "*any k"]:
    """Compute `v_j / max_i |v_i|` over the last dimension.

    Args:
        values: Any values, [..., k].

    Returns:
        The signed share of the largest absolute value, in [-1, 1]; 0 where all values are 0.

    >>> relative_to_largest(torch.tensor([[1.0, -4.0], [0.0, 0.0]])).tolist()
    [[0.25, -1.0], [0.0, 0.0]]
    """
    largest = values.abs().amax(dim=-1, keepdim=True)
    return values / largest.where(largest > 0, 1)  # 0 / 1 instead of 0 / 0


def check_tau(tau: float | int) -> None:
    """Check that tau is larger than 1: otherwise no relevance can exceed 1/tau.

    Args:
        tau: The value.

    Raises:
        UserError: If it is not.
    """
    if not tau > 1:  # NaN included
        raise UserError(
            f"tau is {tau}, and must be larger than 1: an attribute counts where its relevance "
            "exceeds 1/tau. Try 2."
        )


def above_threshold(values: Float[Tensor, "*any"], tau: float | int) -> Bool[Tensor, "*any"]:
    """Return where `values > 1/tau`.

    Args:
        values: Relevance, or its absolute value.
        tau: Larger than 1: otherwise no relevance can exceed 1/tau.

    Returns:
        A mask of the shape of `values`.

    Raises:
        UserError: If tau is not larger than 1.
    """
    check_tau(tau)
    return values > 1 / tau


@dataclass(frozen=True)
class Players:
    """What an explanation distributes the target over.

    Args:
        kind: The plural noun: attributes, pixels, patches, channels, factors.
        n: Their number.
        names: Their names, in order; empty where they have none.
    """

    kind: str
    n: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """Which image an explanation is of; None for what is unknown.

    Args:
        index: Index in its split.
        label: Its class.
        file: Its file.
    """

    index: int | None = None
    label: int | None = None
    file: str | None = None


@dataclass(frozen=True, eq=False)
class Decisions:
    """What f and g decide on one image.

    Args:
        predictor_class: argmax f(x).
        interpreter_class: argmax g(x).
        predictor_probabilities: Softmax of f, [C].
        interpreter_probabilities: Softmax of g, [C].
    """

    predictor_class: int
    interpreter_class: int
    predictor_probabilities: Float[Tensor, "classes"]
    interpreter_probabilities: Float[Tensor, "classes"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """How much each player contributes to a target on one image.

    Args:
        players: What the target is distributed over.
        values: The contribution of each player, in units of the target, [k].
        target: The scalar that is explained, in words.
        method: How the values were computed.
        input: The image.
        baseline: What stands in for an absent player.
        standard_errors: Of `values`, [k]; None where they are exact or unknown.
        decisions: The classes and probabilities of f and g; None where they do not matter.
        attributes: Φ(x), [J]; None where it was not computed.
        tau: Players are shown where |relevance| > 1/tau.
        sufficient: Whether g decides as f from the shown attributes alone; None if unknown.
    """

    players: Players
    values: Float[Tensor, "players"]
    target: str
    method: str
    input: Sample = Sample()
    baseline: str = ""
    standard_errors: Float[Tensor, "players"] | None = None
    decisions: Decisions | None = None
    attributes: Float[Tensor, "attributes"] | None = None
    tau: float | int = TAU
    sufficient: bool | None = None

    @property
    def contributions(self) -> Float[Tensor, "players"]:
        """The values, by the name that they have for attributes."""
        return self.values

    @property
    def relevance(self) -> Float[Tensor, "players"]:
        """`r_j = v_j / max_i |v_i|`, [k] in [-1, 1] (FLINT, section 3.3)."""
        return relative_to_largest(self.values)

    @property
    def predictor_class(self) -> int:
        """The class that f decides."""
        return self._decisions.predictor_class

    @property
    def interpreter_class(self) -> int:
        """The class that g decides."""
        return self._decisions.interpreter_class

    @property
    def predictor_probabilities(self) -> Float[Tensor, "classes"]:
        """The softmax of f, [C]."""
        return self._decisions.predictor_probabilities

    @property
    def interpreter_probabilities(self) -> Float[Tensor, "classes"]:
        """The softmax of g, [C]."""
        return self._decisions.interpreter_probabilities

    @property
    def agrees(self) -> bool:
        """Whether f and g decide the same class. If not, attributes explain g and not f."""
        return self.predictor_class == self.interpreter_class

    @property
    def unexplained(self) -> bool:
        """Whether no player contributes."""
        return not bool((self.values != 0).any())

    def relevant(self, tau: float | int | None = None) -> list[int]:
        """Return the players with `r_j > 1/tau`, the most relevant first.

        Args:
            tau: Larger than 1; the explanation's own by default.

        Returns:
            Their numbers; of equal ones the lower first.

        Raises:
            UserError: If tau is not larger than 1.
        """
        return self._by_size(above_threshold(self.relevance, self.tau if tau is None else tau))

    def shown(self, tau: float | int | None = None) -> list[int]:
        """Return the players with `|r_j| > 1/tau`, the largest |r_j| first.

        Args:
            tau: Larger than 1; the explanation's own by default.

        Returns:
            Their numbers; of equal ones the lower first.

        Raises:
            UserError: If tau is not larger than 1.
        """
        return self._by_size(
            above_threshold(self.relevance.abs(), self.tau if tau is None else tau)
        )

    def statement(self, class_names: Sequence[str]) -> str:
        """Return what f and g decide, and where not to trust the explanation, as sentences.

        Args:
            class_names: The names of the classes.
        """
        decided = self._decisions
        f, g = (f"“{class_names[c]}”" for c in (self.predictor_class, self.interpreter_class))
        p = float(decided.predictor_probabilities[self.predictor_class])
        q = float(decided.interpreter_probabilities[self.interpreter_class])
        if self.agrees:
            first = f"f and g both decide {f} (f {p:.0%}, g {q:.0%})."
        else:
            first = (
                f"f and g disagree: f decides {f} ({p:.0%}), g decides {g} ({q:.0%}). "
                "What is shown explains g, not f."
            )
        return " ".join([first, *self._reservations(f)])

    def as_dict(
        self, class_names: Sequence[str], names: AttributeNames = NAMELESS
    ) -> dict[str, Any]:
        """Return the explanation as plain values for JSON, with the shown attributes only.

        Args:
            class_names: The names of the classes.
            names: The names of the attributes.
        """
        f, g, relevance = self.predictor_class, self.interpreter_class, self.relevance
        found = {} if self.attributes is None else dict(enumerate(self.attributes.tolist()))
        return {
            "predictor": {
                "class": class_names[f],
                "probability": float(self.predictor_probabilities[f]),
            },
            "interpreter": {
                "class": class_names[g],
                "probability": float(self.interpreter_probabilities[g]),
            },
            "agrees": self.agrees,
            "sufficient": self.sufficient,
            "statement": self.statement(class_names),
            "tau": self.tau,
            "shown": [
                {
                    "attribute": j,
                    "name": names.get(j),
                    "label": names.label(j),
                    "relevance": float(relevance[j]),
                    "contribution": float(self.values[j]),
                    "activation": found.get(j),
                }
                for j in self.shown()
            ],
        }

    @property
    def _decisions(self) -> Decisions:
        if self.decisions is None:
            raise UserError(f"This explanation of {self.target} has no decisions of f and g.")
        return self.decisions

    def _by_size(self, chosen: Bool[Tensor, "players"]) -> list[int]:
        order = self.relevance.abs().argsort(descending=True, stable=True)
        return [int(j) for j in order[chosen[order]]]

    def _reservations(self, decided: str) -> list[str]:
        if self.unexplained:
            return ["No attribute contributes: nothing explains this decision."]
        if self.sufficient is False and self.agrees:
            count = len(self.shown())
            alone = f"the {count} shown attributes" if count > 1 else "the one shown attribute"
            return [
                f"What is shown does not suffice: from {alone} alone, g would not decide {decided}."
            ]
        return []
