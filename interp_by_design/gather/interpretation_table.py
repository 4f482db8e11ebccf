"""The interpretation table: a data set goes through the pair once, and nobody runs the network again for what the table knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from interp_by_design.gather.class_means import ClassMeans
from interp_by_design.gather.passes import passes
from interp_by_design.gather.table_folder import concatenated, load_table, writing_table
from interp_by_design.metrics import squared_error
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Batch, InterpretationTable, SeenBatch, UserError


def interpretation_table(
    model: InterpretableModel,
    batches: Iterable[Batch | SeenBatch],
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
    head = {"head_weights": model.interpreter.head.weights, "head_bias": model.interpreter.head.bias}
    head = {name: values.detach().cpu().clone() for name, values in head.items()}
    rows = _rows(model, batches, means)
    if folder is None:
        return InterpretationTable(**concatenated(list(rows)), **head)
    with writing_table(folder, head) as append:
        for part in rows:
            append(part)
    return load_table(folder)


def _rows(
    model: InterpretableModel, batches: Iterable[Batch | SeenBatch], class_means: ClassMeans
) -> Iterator[dict[str, Tensor]]:
    none = True
    with evaluating(model), torch.no_grad():
        for given in passes(model, batches):
            none = False
            yield _columns(model, given, class_means)
    if none:
        raise UserError("There is no batch to make an interpretation table from: this split holds no image.")


def _columns(model: InterpretableModel, given: SeenBatch, class_means: ClassMeans) -> dict[str, Tensor]:
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
