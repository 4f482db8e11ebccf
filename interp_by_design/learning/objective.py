"""FLINT's objective: its terms, their weights and forms, and when each enters. Knows nothing of optimisers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, final, get_args, get_type_hints

import torch
from torch import Tensor

from interp_by_design.learning.schedule import Schedule
from interp_by_design.losses import conciseness, input_fidelity, magnitude, output_fidelity, prediction
from interp_by_design.losses.conciseness import Codes
from interp_by_design.losses.fidelity import Direction, Distance
from interp_by_design.terms import Batch, Interpretation, Scalar, UnknownName, UserError

TERMS = ("prediction", "output_fidelity", "input_fidelity", "conciseness", "magnitude")


@dataclass(frozen=True)
class Forms:
    """Which form each loss takes where there are several; `losses/` says what each is."""

    output_fidelity: Direction = "trained"
    input_fidelity: Distance = "mse"
    codes: Codes = "sum"

    def __post_init__(self) -> None:
        for field in fields(self):
            choices = get_args(get_type_hints(Forms)[field.name])
            if getattr(self, field.name) not in choices:
                raise UnknownName.among(f"form of {field.name}", str(getattr(self, field.name)), choices)


@final
class Objective:
    """L = L_pred + β L_of + γ L_if + δ (L_conciseness + η L_magnitude), each term times its schedule's factor.

    `schedule` maps a term's name to the arguments of its `Schedule`, as in `{"output_fidelity": {"steps": {3: 1.0}}}`; a term
    that it does not name holds from the start.

    Source: FLINT, section 3.2.
    """

    def __init__(
        self,
        beta: float = 1.0,
        gamma: float = 1.0,
        delta: float = 0.1,
        eta: float = 0.0,
        forms: Forms | None = None,
        schedule: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Raises `UserError` for a weight that is negative or not finite, `UnknownName` for a schedule of no term."""
        for name, weight in {"beta": beta, "gamma": gamma, "delta": delta, "eta": eta}.items():
            if not isinstance(weight, int | float) or not math.isfinite(weight) or weight < 0:
                raise UserError(f"The weight {name} must be a finite number >= 0, not {weight!r}; 0 switches its term off.")
        for name in schedule or {}:
            if name not in TERMS:
                raise UnknownName.among("term", name, TERMS, owner="the schedule")
        self.weights = dict(zip(TERMS, (1.0, beta, gamma, delta, delta * eta), strict=True))
        self.forms = forms or Forms()
        self.schedule = {name: Schedule(**entry) for name, entry in (schedule or {}).items()}

    def factors(self, epoch: float) -> dict[str, float]:
        """Each term's weight times its schedule's factor at `epoch` (1.0 is the start of the first)."""
        return {
            name: weight * (self.schedule[name].factor(epoch) if name in self.schedule else 1.0)
            for name, weight in self.weights.items()
        }

    @staticmethod
    def total(terms: Mapping[str, Scalar], factors: Mapping[str, float]) -> Scalar:
        """The terms' sum, each times its factor."""
        values = torch.stack(list(terms.values()))
        return values @ values.new_tensor([factors[name] for name in terms])

    def terms(
        self, seen: Interpretation, batch: Batch, factors: Mapping[str, float], class_weights: Tensor | None = None
    ) -> dict[str, Scalar]:
        """The unweighted terms whose factor is not 0; `class_weights` [C] weigh each sample of the prediction by its label."""
        terms: dict[str, Scalar] = {}
        if factors["prediction"]:
            terms["prediction"] = prediction(seen.predictor, batch.labels, class_weights)
        if factors["output_fidelity"]:
            terms["output_fidelity"] = output_fidelity(seen.interpreter, seen.predictor, self.forms.output_fidelity)
        if factors["input_fidelity"] and seen.reconstruction is not None:
            terms["input_fidelity"] = input_fidelity(seen.reconstruction, batch.images, self.forms.input_fidelity)
        if factors["conciseness"]:
            terms["conciseness"] = conciseness(seen.attributes, self.forms.codes)
        if factors["magnitude"]:
            terms["magnitude"] = magnitude(seen.attributes)
        return terms
