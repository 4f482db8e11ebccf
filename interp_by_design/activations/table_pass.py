"""Interpretation table of one pass through f and g."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from interp_by_design.activations.class_means import ClassMeans
from interp_by_design.activations.passes import forward_passes
from interp_by_design.activations.table_folder import (
    head_hash,
    load_table,
    stored_head,
    writing_table,
)
from interp_by_design.activations.table_merging import concatenated
from interp_by_design.interpreter import LinearHead
from interp_by_design.metrics import squared_error
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import (
    Batch,
    BatchWithActivations,
    Interpretation,
    InterpretationTable,
    UserError,
)

Interpretations = Iterable[tuple[Batch, Interpretation]]


def interpretation_table(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    class_means: ClassMeans | None = None,
    folder: Path | None = None,
    reconstruct: bool = True,
) -> InterpretationTable:
    """Make the table of one pass of `batches` through f and g, in evaluation mode.

    f does not run on a batch that brings its pass. The model's modes are restored.

    Args:
        model: The model, on the device that the pass runs on.
        batches: The images, each with its label and its index in the split.
        class_means: Mean train images of the classes. Without them, `class_mean_error` is NaN.
        folder: Where the rows are written as they come. The table is then memory-mapped from it,
            and memory does not grow with the number of samples.
        reconstruct: Whether images are decoded. Without that, `reconstruction_error` is NaN.

    Returns:
        The table, on the CPU; a row is C + C + J + 4 numbers.

    Raises:
        UserError: If there is no batch, or the folder cannot be written; it is then unchanged.
    """
    with evaluating(model), torch.no_grad():
        passes = forward_passes(model.predictor, batches, model.device)
        interpretations = (
            (given.batch, model.interpret(given.seen, reconstruct)) for given in passes
        )
        return table_of_interpretations(
            interpretations, model.interpreter.head, class_means, folder
        )


def table_of_interpretations(
    interpretations: Interpretations,
    head: LinearHead,
    class_means: ClassMeans | None = None,
    folder: Path | None = None,
) -> InterpretationTable:
    """Make the table of batches that g has interpreted.

    Args:
        interpretations: Pairs of a batch and its interpretation, on the device of `head`.
        head: The head h of g.
        class_means: As for `interpretation_table`.
        folder: As for `interpretation_table`.

    Returns:
        The table, on the CPU.

    Raises:
        UserError: If there is no batch, or the folder cannot be written; it is then unchanged.
    """
    means = None if class_means is None else class_means.to(head.weights.device)
    columns = _head_columns(head)
    rows = (_row_columns(*one, means) for one in interpretations)
    if folder is None:
        parts: list[dict[str, Tensor]] = []
        _append_all(rows, parts.append)
        return InterpretationTable(**concatenated(parts), **columns)
    with writing_table(folder, columns) as append:
        _append_all(rows, append)
    return load_table(folder)


def fits(folder: Path, model: InterpretableModel) -> bool:
    """Return whether `folder` holds a complete table of a model with the head of `model`.

    The weights of h identify the model: no two fits end with the same ones. The data is not
    checked, and no column is read.

    Args:
        folder: The folder of a table.
        model: The model.
    """
    return stored_head(folder) == head_hash(_head_columns(model.interpreter.head))


def _head_columns(head: LinearHead) -> dict[str, Tensor]:
    parts = {"head_weights": head.weights, "head_bias": head.bias}
    return {name: values.detach().cpu().clone() for name, values in parts.items()}


def _append_all(
    rows: Iterator[dict[str, Tensor]], append: Callable[[dict[str, Tensor]], None]
) -> None:
    empty = True
    for row in rows:
        empty = False
        append(row)
    if empty:
        raise UserError(
            "There is no batch to make an interpretation table from: this split holds no image."
        )


def _row_columns(
    batch: Batch, seen: Interpretation, class_means: ClassMeans | None
) -> dict[str, Tensor]:
    unknown = torch.full((len(batch.labels),), math.nan, device=seen.predictor.device)
    error, mean_error = unknown, unknown
    if seen.reconstruction is not None:
        error = squared_error(seen.reconstruction, batch.images)
    if class_means is not None:
        decided = class_means.images_of(seen.predictor.argmax(dim=1))
        mean_error = squared_error(decided, batch.images)
    return {
        "indices": batch.indices,
        "labels": batch.labels,
        "predictor": seen.predictor,
        "interpreter": seen.interpreter,
        "attributes": seen.attributes,
        "reconstruction_error": error,
        "class_mean_error": mean_error,
    }
