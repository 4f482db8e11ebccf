"""Interventions: edit attributes or the weights of h, and let g decide.

The effect of the same edit on f is unknown: f does not read attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.metrics.table_batches import row_slices
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import (
    Attributes,
    HeadWeights,
    InterpretationTable,
    Labels,
    Logits,
    UserError,
)


@final
@dataclass(frozen=True)
class Intervention:
    """An edit of attributes and of the weights of h.

    Args:
        values: New φ_j by attribute.
        scales: Factors of φ_j by attribute, applied before `values`.
        weights: New weights of h by (class, attribute).

    Raises:
        UserError: If a value or a factor is negative or not finite, or a weight is not finite.

    >>> Intervention.zeroing(1).attributes(torch.tensor([[3.0, 4.0]])).tolist()
    [[3.0, 0.0]]
    """

    values: Mapping[int, float] = field(default_factory=dict)
    scales: Mapping[int, float] = field(default_factory=dict)
    weights: Mapping[tuple[int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, given in (("value", self.values), ("scale", self.scales)):
            for attribute, number in given.items():
                if not 0 <= number < float("inf"):
                    raise UserError(
                        f"The {what} of attribute {attribute} is {number}; attributes are >= 0, "
                        "so give 0 or more."
                    )
        for pair, number in self.weights.items():
            if not abs(number) < float("inf"):
                raise UserError(
                    f"The weight of class and attribute {pair} is {number}; give a finite number."
                )

    @classmethod
    def zeroing(cls, *attributes: int) -> Intervention:
        """Return the intervention that sets attributes to 0.

        Args:
            attributes: Their numbers.
        """
        return cls(values=dict.fromkeys(attributes, 0.0))

    def and_then(self, other: Intervention) -> Intervention:
        """Return this intervention followed by another, as one.

        Args:
            other: The later one.
        """
        scales = {j: factor for j, factor in self.scales.items() if j not in self.values}
        values = {j: value * other.scales.get(j, 1.0) for j, value in self.values.items()} | {
            **other.values
        }
        for j, factor in other.scales.items():
            if j not in self.values:
                scales[j] = scales.get(j, 1.0) * factor
        return Intervention(values, scales, {**self.weights, **other.weights})

    def attributes(self, attributes: Attributes) -> Attributes:
        """Apply it to attributes.

        Args:
            attributes: Φ, [n, J].

        Returns:
            A changed copy.

        Raises:
            UserError: If there is no such attribute.
        """
        _check_attributes({*self.scales, *self.values}, attributes.shape[1])
        changed = attributes.clone()
        for attribute, factor in self.scales.items():
            changed[:, attribute] *= factor
        for attribute, value in self.values.items():
            changed[:, attribute] = value
        return changed

    def head(self, weights: HeadWeights) -> HeadWeights:
        """Apply it to the weights of h.

        Args:
            weights: [C, J].

        Returns:
            A changed copy.

        Raises:
            UserError: If there is no such class or attribute.
        """
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
    """Logits of g before and after an intervention.

    Args:
        before: g, [n, C].
        after: g after the intervention, [n, C].
        predictor: f, [n, C].
        labels: [n]; None if unknown.
    """

    before: Logits
    after: Logits
    predictor: Logits
    labels: Labels | None = None

    @property
    def changed(self) -> Bool[Tensor, "n"]:
        """Where g changes its decision, [n]."""
        return self.before.argmax(dim=1) != self.after.argmax(dim=1)

    @property
    def probability_drop(self) -> Float[Tensor, "n"]:
        """Loss of g's probability of the class that it decided before, [n]; below 0 it rises."""
        decided = self.before.argmax(dim=1, keepdim=True)
        drop = self.before.softmax(dim=1).gather(1, decided) - self.after.softmax(dim=1).gather(
            1, decided
        )
        return drop[:, 0]

    @property
    def fidelity_before(self) -> float:
        """Share of images where g decided as f, 0..1."""
        return _share(self.before, self.predictor.argmax(dim=1))

    @property
    def fidelity_after(self) -> float:
        """Share of images where g decides as f after the intervention, 0..1."""
        return _share(self.after, self.predictor.argmax(dim=1))

    @property
    def accuracy_before(self) -> float:
        """Share of images where g decided the label, 0..1. `UserError` if labels are unknown."""
        return _share(self.before, self._labels)

    @property
    def accuracy_after(self) -> float:
        """Share of images where g decides the label afterwards. `UserError` without labels."""
        return _share(self.after, self._labels)

    @property
    def _labels(self) -> Labels:
        if self.labels is None:
            raise UserError(
                "There is no accuracy without labels: an image of its own has none. Use fidelity, "
                "or a table."
            )
        return self.labels


def intervene(table: InterpretationTable, intervention: Intervention) -> Intervened:
    """Compute `h'(Φ'(x))` for every row of a table. Beyond the result, memory does not grow.

    Args:
        table: The table.
        intervention: The edit.

    Returns:
        The logits before and after.

    Raises:
        UserError: If there is no such attribute or class.
    """
    weights = intervention.head(table.head_weights)
    after = torch.empty_like(table.interpreter)
    for rows in row_slices(len(table)):
        after[rows] = intervention.attributes(table.attributes[rows]) @ weights.T + table.head_bias
    return Intervened(table.interpreter, after, table.predictor, table.labels)


def intervene_on(
    model: InterpretableModel, image: Float[Tensor, "c h w"], intervention: Intervention
) -> Intervened:
    """Compute `h'(Φ'(x))` for one image. The model's modes are restored.

    Args:
        model: f and g.
        image: [c, h, w] in [0, 1].
        intervention: The edit.

    Returns:
        The logits before and after.

    Raises:
        UserError: If there is no such attribute or class.
    """
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
