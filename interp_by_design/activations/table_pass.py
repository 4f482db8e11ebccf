"""The interpretation table: a data set goes through the pair once, and nobody runs the network again for what the table knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

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
from interp_by_design.metrics import squared_error
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Batch, BatchWithActivations, InterpretationTable, UserError


def interpretation_table(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    class_means: ClassMeans,
    folder: Path | None = None,
) -> InterpretationTable:
    """One pass of `batches` through f and g in evaluation mode, on the model's device; the table is on the CPU.

    Where a batch brings the pass of f with it, f is not run. `class_means` is the mean train image of each class. A row is
    C + C + J + 4 numbers. With `folder`, rows are written there as they come, and the table is memory-mapped from it: memory
    does not grow with the number of samples. The model is left as it was.

    Raises `UserError` where there is no batch, and where the folder cannot be written; what it held before stays then.
    """
    means = class_means.to(model.interpreter.head.weights.device)
    head = _head(model)
    if folder is None:
        parts: list[dict[str, Tensor]] = []
        _gather(model, batches, means, parts.append)
        return InterpretationTable(**concatenated(parts), **head)
    with writing_table(folder, head) as append:
        _gather(model, batches, means, append)
    return load_table(folder)


def fits(folder: Path, model: InterpretableModel) -> bool:
    """Whether `folder` holds a whole table that this version reads, of a model with the very h of `model`; reads no column.

    The weights of h stand for the model: no two fits end with the same ones. Of the data, it tells nothing.
    """
    return stored_head(folder) == head_hash(_head(model))


def _head(model: InterpretableModel) -> dict[str, Tensor]:
    """The weights and the bias of h, copied to the CPU."""
    head = {
        "head_weights": model.interpreter.head.weights,
        "head_bias": model.interpreter.head.bias,
    }
    return {name: values.detach().cpu().clone() for name, values in head.items()}


def _gather(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    class_means: ClassMeans,
    take: Callable[[dict[str, Tensor]], None],
) -> None:
    """Hands the rows of each batch to `take`."""
    none = True
    with evaluating(model), torch.no_grad():
        for given in forward_passes(model.predictor, batches, model.device):
            none = False
            take(_columns(model, given, class_means))
    if none:
        raise UserError(
            "There is no batch to make an interpretation table from: this split holds no image."
        )


def _columns(
    model: InterpretableModel, given: BatchWithActivations, class_means: ClassMeans
) -> dict[str, Tensor]:
    batch, seen = given.batch, model.interpret(given.seen)
    decided = class_means.of(seen.predictor.argmax(dim=1))
    return {
        "indices": batch.indices,
        "labels": batch.labels,
        "predictor": seen.predictor,
        "interpreter": seen.interpreter,
        "attributes": seen.attributes,
        "reconstruction_error": squared_error(cast("Tensor", seen.reconstruction), batch.images),
        "class_mean_error": squared_error(decided, batch.images),
    }
