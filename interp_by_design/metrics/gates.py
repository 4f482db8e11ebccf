"""Gates: bounds beyond which a score is flagged.

A run that fails a gate is not forbidden; its report says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Gate:
    """A bound on a score.

    Args:
        key: The key of the score, without the split.
        bound: The smallest value that passes where up is better, the largest where down is.
        direction: Where better is.
        per_attribute: Whether `bound` is a share of the number of attributes.
    """

    key: str
    bound: float
    direction: Direction
    per_attribute: bool = False

    def limit(self, n_attributes: int) -> float:
        """Return the bound for a dictionary.

        Args:
            n_attributes: The dictionary's number of attributes, J.

        Returns:
            The bound, in the units of the score.

        >>> Gate("exclusive_attributes", 0.2, "down", per_attribute=True).limit(20)
        4.0
        """
        return self.bound * n_attributes if self.per_attribute else self.bound

    def passes(self, value: float | int, n_attributes: int) -> bool:
        """Return whether a score passes.

        Args:
            value: The score.
            n_attributes: The dictionary's number of attributes, J.

        Returns:
            Whether `value` is on the good side of the bound, or on it; NaN is not.

        >>> Gate("fidelity", 0.97, "up").passes(0.98, n_attributes=20)
        True
        """
        limit = self.limit(n_attributes)
        return value >= limit if self.direction == "up" else value <= limit


GATES = (
    Gate("fidelity", 0.97, "up"),
    Gate("fidelity_hard", 0.70, "up"),
    Gate("fidelity_worst_class", 0.80, "up"),
    Gate("probability_error", 0.10, "down"),
    Gate("within_class_explained", 0.20, "up"),
    Gate("logit_predictability", 0.90, "down"),
    Gate("sufficiency@5", 0.95, "up"),
    Gate("conciseness_abs@5", 5.0, "down"),
    Gate("dead_attributes", 0.0, "down"),
    Gate("always_on_attributes", 0.0, "down"),
    Gate("unexplained_share", 0.001, "down"),
    Gate("exclusive_attributes", 0.20, "down", per_attribute=True),
    Gate("faithfulness_gap_low", 0.05, "up"),
    Gate("effect_agreement", 0.25, "up"),
)


def failed_gates(
    scores: Mapping[str, float | int], n_attributes: int, gates: Sequence[Gate] = GATES
) -> list[Gate]:
    """Return the gates that scores fail.

    Args:
        scores: The scores, by key without the split. A score that is absent is not judged.
        n_attributes: The dictionary's number of attributes, J.
        gates: The gates to check.

    Returns:
        The failed gates, in the order of `gates`.

    >>> [gate.key for gate in failed_gates({"fidelity": 0.9, "overlap": 0.8}, n_attributes=20)]
    ['fidelity']
    """
    return [
        gate
        for gate in gates
        if gate.key in scores and not gate.passes(scores[gate.key], n_attributes)
    ]
