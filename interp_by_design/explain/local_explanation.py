"""Local explanations of one image, or of every row of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp_by_design.activations import interpretation_table
from interp_by_design.metrics.table_batches import row_slices
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


@final
@dataclass(frozen=True, eq=False)
class LocalColumns:
    """Local explanations of n images as columns, one row an image.

    Args:
        tau: Attributes are shown where |relevance| > 1/tau.
        relevance: Of each attribute for the class that g decides, [n, J] in [-1, 1].
        shown: Where |relevance| > 1/tau, [n, J].
        predictor_class: argmax f, [n].
        interpreter_class: argmax g, [n].
        agrees: Where g decides as f, [n].
        correct: Where f decides the label, [n].
        sufficient: Where the shown attributes alone decide as f, [n].
        unexplained: Where no attribute contributes, [n].
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
    """Explain every row of a table. Beyond the result, memory does not grow with the table.

    Args:
        table: The table, n rows.
        tau: Attributes are shown where |relevance| > 1/tau; larger than 1.

    Returns:
        The explanations, n rows.

    Raises:
        UserError: If tau is not larger than 1.
    """
    weights, bias = table.head_weights, table.head_bias
    columns: dict[str, Tensor] = {}
    for rows in row_slices(len(table)):
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
    """Explain batches of images in one pass, without decoding. The model's modes are restored.

    Args:
        model: f and g.
        batches: The images, or their passes.
        tau: Attributes are shown where |relevance| > 1/tau; larger than 1.

    Returns:
        The explanations, on the CPU.

    Raises:
        UserError: If there is no batch, or tau is not larger than 1.
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
    """Return the columns of some rows; `seen` is the logits of f and g, and the attributes."""
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
