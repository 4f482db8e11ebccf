"""Local explanations: for one image, or all of a table, what decides, what is shown of it, and whether that suffices.

Does not know how an explanation is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp_by_design.activations import interpretation_table
from interp_by_design.model import InterpretableModel
from interp_by_design.relevance import (
    LocalExplanation,
    decide_from,
    explain_locally,
    local_relevance,
    shown,
)
from interp_by_design.terms import (
    Attributes,
    Batch,
    BatchWithActivations,
    HeadWeights,
    InterpretationTable,
    Labels,
    Logits,
    UserError,
)

TAU = 5.0  # shown is |r| > 1/τ, unless asked otherwise; the gate on conciseness is at this τ too
ROWS = 4096  # of a table, at once


@final
@dataclass(frozen=True, eq=False)
class LocalColumns:
    """Local explanations of N images as columns, one row an image.

    relevance: of each attribute for the class that g decides, [N, J] in [-1, 1]. shown: those with |relevance| > 1/tau.
    agrees: g decides what f decides. correct: f decides the label. sufficient: what is shown alone decides what f decides.
    unexplained: no attribute contributes.
    """

    tau: float | int
    relevance: Attributes
    shown: Bool[Tensor, "n attributes"]
    predictor_class: Int[Tensor, "n"]
    interpreter_class: Int[Tensor, "n"]
    agrees: Bool[Tensor, "n"]
    correct: Bool[Tensor, "n"]
    sufficient: Bool[Tensor, "n"]
    unexplained: Bool[Tensor, "n"]

    def __len__(self) -> int:
        return self.predictor_class.shape[0]


@final
@dataclass(frozen=True, eq=False)
class LocalReading:
    """One image's explanation, with its attributes [J], what is shown at `tau`, and whether that suffices for f's decision.

    `label` and `index` are of an image from a data set; None for any other.
    """

    explanation: LocalExplanation
    attributes: Float[Tensor, "attributes"]
    tau: float | int
    sufficient: bool
    label: int | None = None
    index: int | None = None

    @property
    def shown(self) -> list[int]:
        """The attributes that an explanation at `tau` shows, the most relevant first, evidence against the class included."""
        return self.explanation.shown(self.tau)

    @property
    def unexplained(self) -> bool:
        """Whether no attribute contributes to the decision."""
        return not bool((self.explanation.contributions != 0).any())

    def statement(self, class_names: Sequence[str]) -> str:
        """In one to three plain sentences: what is decided, and where the explanation is not to be trusted."""
        told = self.explanation
        f, g = (f"“{class_names[c]}”" for c in (told.predictor_class, told.interpreter_class))
        p, q = (
            float(told.predictor_probabilities[told.predictor_class]),
            float(told.interpreter_probabilities[told.interpreter_class]),
        )
        if told.agrees:
            decided = f"f and g both decide {f} (f {p:.0%}, g {q:.0%})."
        else:
            decided = f"f and g disagree: f decides {f} ({p:.0%}), g decides {g} ({q:.0%}). What is shown explains g, not f."
        return " ".join([decided, *self._reservations(f)])

    def _reservations(self, decided: str) -> list[str]:
        if self.unexplained:
            return ["No attribute contributes: nothing explains this decision."]
        if not self.sufficient and self.explanation.agrees:
            count = len(self.shown)
            alone = f"the {count} shown attributes" if count > 1 else "the one shown attribute"
            return [
                f"What is shown does not suffice: from {alone} alone, g would not decide {decided}."
            ]
        return []


def local_columns(table: InterpretationTable, tau: float | int = TAU) -> LocalColumns:
    """Local explanations of every row of `table`; see `LocalColumns`. `UserError` unless tau > 1.

    Beyond the result, memory does not grow with the table.
    """
    weights, bias = table.head_weights, table.head_bias
    columns: dict[str, Tensor] = {}
    for start in range(0, max(1, len(table)), ROWS):
        rows = slice(start, start + ROWS)
        seen = table.predictor[rows], table.interpreter[rows], table.attributes[rows]
        for name, part in _columns(seen, weights, bias, tau, table.labels[rows]).items():
            column = columns.setdefault(name, part.new_empty(len(table), *part.shape[1:]))
            column[rows] = part
    return LocalColumns(tau, **columns)


def explain_set(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    tau: float | int = TAU,
) -> LocalColumns:
    """Local explanations of `batches` in one pass of f, without decoding images; on the CPU. The model is left as it was.

    Raises `UserError` where there is no batch.
    """
    return local_columns(interpretation_table(model, batches, reconstruct=False), tau)


def read_locally(table: InterpretationTable, row: int, tau: float | int = TAU) -> LocalReading:
    """The explanation of one row of `table`. Raises `UserError` for a row that it does not have."""
    if not 0 <= row < len(table):
        raise UserError(f"The table has rows 0 to {len(table) - 1}, and no row {row}.")
    seen = table.predictor[row], table.interpreter[row], table.attributes[row]
    return _reading(
        seen,
        (table.head_weights, table.head_bias),
        tau,
        int(table.labels[row]),
        int(table.indices[row]),
    )


def read_image(
    model: InterpretableModel, image: Float[Tensor, "c h w"], tau: float | int = TAU
) -> LocalReading:
    """The explanation of one image [c, h, w] in [0, 1]; the model is left as it was. Raises `UserError` where `explain` does."""
    looked, head = model.look_at(image), model.interpreter.head
    seen = looked.predictor[0].cpu(), looked.interpreter[0].cpu(), looked.attributes[0].cpu()
    return _reading(seen, (head.weights.detach().cpu(), head.bias.detach().cpu()), tau)


def _reading(
    seen: tuple[Tensor, Tensor, Tensor],
    head: tuple[Tensor, Tensor],
    tau: float | int,
    label: int | None = None,
    index: int | None = None,
) -> LocalReading:
    predictor, interpreter, attributes = seen
    weights, bias = head
    told = explain_locally(predictor, interpreter, attributes, weights)
    alone = decide_from(attributes[None], weights, bias, shown(told.relevance, tau)[None])[0]
    return LocalReading(
        told, attributes, tau, int(alone.argmax()) == told.predictor_class, label, index
    )


def _columns(
    seen: tuple[Logits, Logits, Attributes],
    weights: HeadWeights,
    bias: Float[Tensor, "classes"],
    tau: float | int,
    labels: Labels,
) -> dict[str, Tensor]:
    """Columns of some rows; `seen` is the logits of f, those of g, and the attributes."""
    predictor, interpreter, attributes = seen
    f, g = predictor.argmax(dim=1), interpreter.argmax(dim=1)
    relevance = local_relevance(attributes, weights, g)
    on_show = shown(relevance, tau)
    alone = decide_from(attributes, weights, bias, on_show)
    return {
        "relevance": relevance,
        "shown": on_show,
        "predictor_class": f,
        "interpreter_class": g,
        "agrees": f == g,
        "correct": f == labels,
        "sufficient": alone.argmax(dim=1) == f,
        "unexplained": ~(relevance != 0).any(dim=1),
    }
