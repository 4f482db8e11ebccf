"""FLINT's objective: its terms, their weights, forms and schedules."""

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
    """The form of each loss that has several.

    Args:
        output_fidelity: Which of f and g learns from the other; see `losses.output_fidelity`.
        input_fidelity: The distance of images; see `losses.input_fidelity`.
        codes: The entropy of the codes in conciseness; see `losses.conciseness`.

    Raises:
        UnknownName: A form does not exist.
    """

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
    """L_pred + β L_of + γ L_if + δ (L_concise + η L_magnitude) + ι L_indep + σ L_suff + α L_anchor.

    Each term is multiplied by its schedule's factor. L_suff is L_of of g's decision from the shown
    attributes alone, in the form in which g learns from f.

    Args:
        beta: The weight β of output fidelity.
        gamma: The weight γ of input fidelity.
        delta: The weight δ of conciseness and magnitude.
        eta: The weight η of magnitude, within δ.
        independence: The weight ι of independence.
        sufficiency: The weight σ of sufficiency.
        anchoring: The weight α of anchoring.
        forms: The form of each loss that has several; None for the defaults.
        schedule: Maps the name of a term to the arguments of its `Schedule`, as in
            `{"output_fidelity": {"steps": {3: 1.0}}}`. A term without one holds from the start.

    Raises:
        UserError: A weight is negative or not finite.
        UnknownName: The schedule names a term that does not exist.

    Source: FLINT, section 3.2; independence, sufficiency and anchoring are original to this
    project.

    >>> objective = Objective(beta=0.5, schedule={"output_fidelity": {"steps": {3: 1.0}}})
    >>> [objective.factors(epoch)["output_fidelity"] for epoch in (1.0, 3.0)]
    [0.0, 0.5]
    """

    def __init__(  # noqa: PLR0913  people override each of the seven weights by its name
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
        """Return each term's weight times its schedule's factor.

        Args:
            epoch: The time in epochs: 1.0 is the start of the first, 1.5 its middle.

        Returns:
            The factors, by term.
        """
        return {
            name: weight * (self.schedule[name].factor(epoch) if name in self.schedule else 1.0)
            for name, weight in self.weights.items()
        }

    @staticmethod
    def total(terms: Mapping[str, Scalar], factors: Mapping[str, float]) -> Scalar:
        """Compute the sum of the terms, each times its factor.

        Args:
            terms: The unweighted terms, by name.
            factors: The factor of each of them, by name.

        Returns:
            The loss.

        >>> float(Objective.total({"prediction": torch.tensor(3.0)}, {"prediction": 2.0}))
        6.0
        """
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
        """Compute the unweighted terms whose factor is not 0.

        Args:
            seen: The interpretation of the batch. Without a reconstruction, there is no term of
                input fidelity.
            batch: The images and labels.
            factors: The factor of each term, by name.
            class_weights: Weights of the samples of each class in the prediction term, [C].
            shown: The logits that g computes from the shown attributes alone, [n, C]. Without them,
                there is no term of sufficiency.
            teaching: Whether f learns from g where the form of output fidelity is mutual.

        Returns:
            The terms, by name.
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
