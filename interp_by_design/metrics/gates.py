"""Gates: bounds beyond which a score is flagged. A run that fails one is not forbidden; the report says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Gate:
    """A bound on a score: at least `bound` where up is better, at most where down is; `per_attribute` bounds are shares of J."""

    key: str
    bound: float
    direction: Direction
    per_attribute: bool = False

    def limit(self, n_attributes: int) -> float:
        """The bound for a dictionary of `n_attributes`."""
        return self.bound * n_attributes if self.per_attribute else self.bound

    def passes(self, value: float | int, n_attributes: int) -> bool:
        """Whether `value` is on the good side of the bound or on it; NaN is not."""
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
    """The gates that `scores` (keys without prefix) fail, in the order of `gates`. A score that is absent is not judged."""
    return [
        gate
        for gate in gates
        if gate.key in scores and not gate.passes(scores[gate.key], n_attributes)
    ]
