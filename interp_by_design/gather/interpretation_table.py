"""The interpretation table: a data set goes through the pair once, and nobody runs the network again for what the table knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor

from interp_by_design.gather.class_means import ClassMeans
from interp_by_design.gather.passes import passes
from interp_by_design.metrics import squared_error
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Batch, InterpretationTable, SeenBatch, UserError


def interpretation_table(
    model: InterpretableModel, batches: Iterable[Batch | SeenBatch], class_means: ClassMeans
) -> InterpretationTable:
    """One pass of `batches` through f and g in evaluation mode, on the model's device; the table is on the CPU.

    Where a batch brings the pass of f with it, f is not run. `class_means` is the mean train image of each class. Memory grows
    with the number of samples by C + C + J + 4 numbers each. The model is left as it was.

    Raises `UserError` where there is no batch.
    """
    means = class_means.to(model.interpreter.head.weights.device)
    with evaluating(model), torch.no_grad():
        rows = [_rows(model, batch, means) for batch in passes(model, batches)]
        if not rows:
            raise UserError("There is no batch to make an interpretation table from: this split holds no image.")
        head = model.interpreter.head
        columns = {name: torch.cat([row[name] for row in rows]).cpu() for name in rows[0]}
        return InterpretationTable(**columns, head_weights=head.weights.cpu().clone(), head_bias=head.bias.cpu().clone())


def _rows(model: InterpretableModel, given: SeenBatch, class_means: ClassMeans) -> dict[str, Tensor]:
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
