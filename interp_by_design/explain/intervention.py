"""Interventions: set, scale or zero attributes, or edit the weights of h, and see g decide.

Only g is asked: what the same edit would do to f is not known from here, since f does not read attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.model import InterpretableModel
from interp_by_design.terms import (
    Attributes,
    HeadWeights,
    InterpretationTable,
    Labels,
    Logits,
    UserError,
)

ROWS = 4096  # of a table, at once


@final
@dataclass(frozen=True)
class Intervention:
    """What is changed: attributes by `scales` (factors), then by `values` (φ_j itself), and `weights` of h by (class, attribute).

    Raises `UserError` for a value or a factor that is negative or not finite: attributes are >= 0.
    """

    values: Mapping[int, float] = field(default_factory=dict)
    scales: Mapping[int, float] = field(default_factory=dict)
    weights: Mapping[tuple[int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, given in (("value", self.values), ("scale", self.scales)):
            for attribute, number in given.items():
                if not 0 <= number < float("inf"):
                    raise UserError(
                        f"The {what} of attribute {attribute} is {number}; attributes are >= 0, so give 0 or more."
                    )
        for pair, number in self.weights.items():
            if not abs(number) < float("inf"):
                raise UserError(
                    f"The weight of class and attribute {pair} is {number}; give a finite number."
                )

    @classmethod
    def zeroing(cls, *attributes: int) -> Intervention:
        """Attributes set to 0, as if they had not been seen."""
        return cls(values=dict.fromkeys(attributes, 0.0))

    def and_then(self, other: Intervention) -> Intervention:
        """This one, and `other` after it, as one."""
        scales = {j: factor for j, factor in self.scales.items() if j not in self.values}
        values = {j: value * other.scales.get(j, 1.0) for j, value in self.values.items()} | {
            **other.values
        }
        for j, factor in other.scales.items():
            if j not in self.values:
                scales[j] = scales.get(j, 1.0) * factor
        return Intervention(values, scales, {**self.weights, **other.weights})

    def attributes(self, attributes: Attributes) -> Attributes:
        """Φ after it, a copy. Raises `UserError` for an attribute that there is not."""
        _check_attributes({*self.scales, *self.values}, attributes.shape[1])
        changed = attributes.clone()
        for attribute, factor in self.scales.items():
            changed[:, attribute] *= factor
        for attribute, value in self.values.items():
            changed[:, attribute] = value
        return changed

    def head(self, weights: HeadWeights) -> HeadWeights:
        """W after it, a copy. Raises `UserError` for a class or an attribute that there is not."""
        n_classes, n_attributes = weights.shape
        _check_attributes({attribute for _, attribute in self.weights}, n_attributes)
        changed = weights.clone()
        for (class_, attribute), weight in self.weights.items():
            if not 0 <= class_ < n_classes:
                raise UserError(
                    f"There is no class {class_}: the classes are 0 to {n_classes - 1}."
                )
            changed[class_, attribute] = weight
        return changed


@final
@dataclass(frozen=True, eq=False)
class Intervened:
    """The logits of g before and after an intervention, [N, C], beside those of f and the labels, where these are known."""

    before: Logits
    after: Logits
    predictor: Logits
    labels: Labels | None = None

    @property
    def changed(self) -> Bool[Tensor, "n"]:
        """Where g decides otherwise."""
        return self.before.argmax(dim=1) != self.after.argmax(dim=1)

    @property
    def probability_drop(self) -> Float[Tensor, "n"]:
        """What g's probability of the class that it decided before loses; below 0 where it gains."""
        decided = self.before.argmax(dim=1, keepdim=True)
        drop = self.before.softmax(dim=1).gather(1, decided) - self.after.softmax(dim=1).gather(
            1, decided
        )
        return drop[:, 0]

    @property
    def fidelity_before(self) -> float:
        """The share of images where g decided as f."""
        return _share(self.before, self.predictor.argmax(dim=1))

    @property
    def fidelity_after(self) -> float:
        """The share of images where g decides as f now."""
        return _share(self.after, self.predictor.argmax(dim=1))

    @property
    def accuracy_before(self) -> float:
        """The share of images where g decided the label. Raises `UserError` where no label is known."""
        return _share(self.before, self._labels)

    @property
    def accuracy_after(self) -> float:
        """The share of images where g decides the label now. Raises `UserError` where no label is known."""
        return _share(self.after, self._labels)

    @property
    def _labels(self) -> Labels:
        if self.labels is None:
            raise UserError(
                "There is no accuracy without labels: an image of its own has none. Use fidelity, or a table."
            )
        return self.labels


def intervene(table: InterpretationTable, intervention: Intervention) -> Intervened:
    """`h'(Φ'(x))` for every row of `table`. Raises `UserError` for an attribute or a class that there is not.

    Beyond the result, memory does not grow with the table.
    """
    weights = intervention.head(table.head_weights)
    after = torch.empty_like(table.interpreter)
    for start in range(0, max(1, len(table)), ROWS):
        rows = slice(start, start + ROWS)
        after[rows] = intervention.attributes(table.attributes[rows]) @ weights.T + table.head_bias
    return Intervened(table.interpreter, after, table.predictor, table.labels)


def intervene_on(
    model: InterpretableModel, image: Float[Tensor, "c h w"], intervention: Intervention
) -> Intervened:
    """The same for one image [c, h, w] in [0, 1]; the model is left as it was."""
    seen, head = model.look_at(image), model.interpreter.head
    with torch.no_grad():
        after = (
            intervention.attributes(seen.attributes) @ intervention.head(head.weights).T + head.bias
        )
    return Intervened(seen.interpreter, after, seen.predictor)


def _share(logits: Logits, wanted: Labels) -> float:
    return float((logits.argmax(dim=1) == wanted).float().mean())


def _check_attributes(named: set[int], n_attributes: int) -> None:
    if wrong := sorted(attribute for attribute in named if not 0 <= attribute < n_attributes):
        raise UserError(
            f"There is no attribute {wrong[0]}: the attributes are 0 to {n_attributes - 1}."
        )
