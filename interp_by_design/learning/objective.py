"""FLINT's objective: its terms, their weights and forms, and when each enters. Knows nothing of optimisers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, final, get_args, get_type_hints

import torch
from torch import Tensor

from interp_by_design.learning.schedule import Schedule
from interp_by_design.losses import (
    anchoring,
    conciseness,
    independence,
    input_fidelity,
    magnitude,
    output_fidelity,
    prediction,
)
from interp_by_design.losses.code_entropy import Codes
from interp_by_design.losses.fidelity import Direction, Distance
from interp_by_design.terms import (
    Batch,
    Interpretation,
    Logits,
    Scalar,
    UnknownName,
    check_weight,
)

TERMS = (
    "prediction",
    "output_fidelity",
    "input_fidelity",
    "conciseness",
    "magnitude",
    "independence",
    "sufficiency",
    "anchoring",
)


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
                raise UnknownName.among(
                    f"form of {field.name}", str(getattr(self, field.name)), choices
                )


@final
class Objective:
    """L = L_pred + β L_of + γ L_if + δ (L_conciseness + η L_magnitude) + ι L_independence + σ L_sufficiency + α L_anchoring.

    Each term is multiplied by its schedule's factor. L_sufficiency is L_of of the decision that g takes from the shown attributes
    alone, in the form in which g learns from f.

    `schedule` maps a term's name to the arguments of its `Schedule`, as in `{"output_fidelity": {"steps": {3: 1.0}}}`; a term
    that it does not name holds from the start.

    Source: FLINT, section 3.2; the last three, ι `independence`, σ `sufficiency` and α `anchoring`, are the house's own.
    """

    def __init__(  # noqa: PLR0913  the seven weights are words that people override one at a time
        self,
        beta: float = 1.0,
        gamma: float = 1.0,
        delta: float = 0.1,
        eta: float = 0.0,
        independence: float = 0.0,
        sufficiency: float = 0.0,
        anchoring: float = 0.0,
        forms: Forms | None = None,
        schedule: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Raises `UserError` for a weight that is negative or not finite, `UnknownName` for a schedule of no term."""
        named = {"beta": beta, "gamma": gamma, "delta": delta, "eta": eta}
        named |= {"independence": independence, "sufficiency": sufficiency, "anchoring": anchoring}
        for name, weight in named.items():
            check_weight(name, weight)
        for name in schedule or {}:
            if name not in TERMS:
                raise UnknownName.among("term", name, TERMS, owner="the schedule")
        self.weights = dict(
            zip(
                TERMS,
                (1.0, beta, gamma, delta, delta * eta, independence, sufficiency, anchoring),
                strict=True,
            )
        )
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
        self,
        seen: Interpretation,
        batch: Batch,
        factors: Mapping[str, float],
        class_weights: Tensor | None = None,
        shown: Logits | None = None,
        teaching: bool = True,
    ) -> dict[str, Scalar]:
        """The unweighted terms whose factor is not 0.

        `class_weights` [C] weigh each sample of the prediction by its label; `shown` [n, C] is what g decides from the shown
        attributes. Without it there is no term of sufficiency, and without a reconstruction none of input fidelity. Of a g that
        is not `teaching`, f learns nothing where both would learn from each other.
        """
        images, forms = batch.images, self.forms
        direction: Direction = (
            "trained"
            if forms.output_fidelity == "mutual" and not teaching
            else forms.output_fidelity
        )
        losses: dict[str, Callable[[], Scalar]] = {
            "prediction": lambda: prediction(seen.predictor, batch.labels, class_weights),
            "output_fidelity": lambda: output_fidelity(seen.interpreter, seen.predictor, direction),
            "conciseness": lambda: conciseness(seen.attributes, forms.codes),
            "magnitude": lambda: magnitude(seen.attributes),
            "independence": lambda: independence(seen.attributes, seen.predictor),
            "anchoring": lambda: anchoring(seen.attributes, images),
        }
        if seen.reconstruction is not None:
            reconstruction = seen.reconstruction
            losses["input_fidelity"] = lambda: input_fidelity(
                reconstruction, images, forms.input_fidelity
            )
        if shown is not None:
            losses["sufficiency"] = lambda: output_fidelity(shown, seen.predictor, "trained")
        return {name: losses[name]() for name in TERMS if factors[name] and name in losses}
