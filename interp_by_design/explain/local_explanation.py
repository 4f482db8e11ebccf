"""Local explanations: for one image, or all of a table, what decides, what is shown of it, and whether that suffices.

Does not know how an explanation is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp_by_design.activations import interpretation_table
from interp_by_design.model import InterpretableModel
from interp_by_design.relevance import decide_from, explain_locally, local_relevance, shown
from interp_by_design.terms import (
    TAU,
    Attributes,
    Batch,
    BatchWithActivations,
    Explanation,
    HeadWeights,
    Interpretation,
    InterpretationTable,
    Labels,
    Logits,
    Sample,
    UserError,
)

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


def explain_row(table: InterpretationTable, row: int, tau: float | int = TAU) -> Explanation:
    """Explain one row of a table.

    Args:
        table: The table.
        row: From 0.
        tau: Attributes are shown where |relevance| > 1/tau; larger than 1.

    Returns:
        The explanation, with the image's label and index.

    Raises:
        UserError: If the table has no such row, or tau is not larger than 1.
    """
    if not 0 <= row < len(table):
        raise UserError(f"The table has rows 0 to {len(table) - 1}, and no row {row}.")
    one = slice(row, row + 1)
    seen = Interpretation(table.predictor[one], table.interpreter[one], table.attributes[one], None)
    sample = Sample(int(table.indices[row]), int(table.labels[row]))
    return explain_locally(seen, table.head_weights, table.head_bias, tau, sample)


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
