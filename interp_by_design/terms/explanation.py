"""Explanation of one decision, and the formulas of relevance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.terms.errors import UserError


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

    >>> import torch
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
