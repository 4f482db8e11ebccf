"""The interpretation table: a data set goes through the pair once, and nobody runs the network again for what the table knows."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.metrics import squared_error
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Batch, InterpretationTable, UserError

ClassMeans = Float[Tensor, "classes c h w"]


def interpretation_table(model: InterpretableModel, batches: Iterable[Batch], class_means: ClassMeans) -> InterpretationTable:
    """One pass of `batches` through f and g in evaluation mode, on the model's device; the table is on the CPU.

    `class_means` is the mean train image of each class. Memory grows with the number of samples by C + C + J + 4 numbers each.
    The model is left as it was. Raises `UserError` where there is no batch.
    """
    device = model.interpreter.head.weights.device
    means = class_means.to(device)
    with evaluating(model), torch.no_grad():
        rows = [_rows(model, Batch(*(part.to(device) for part in batch)), means) for batch in batches]
        if not rows:
            raise UserError("There is no batch to make an interpretation table from: this split holds no image.")
        head = model.interpreter.head
        columns = {name: torch.cat([row[name] for row in rows]).cpu() for name in rows[0]}
        return InterpretationTable(**columns, head_weights=head.weights.cpu().clone(), head_bias=head.bias.cpu().clone())


def class_mean_images(batches: Iterable[Batch], n_classes: int) -> ClassMeans:
    """The mean image of each class by label, [C, c, h, w] in [0, 1]; the mean of all images for a class without any."""
    total: Tensor | None = None
    counts = torch.zeros(n_classes)
    for images, labels, _ in batches:
        one_hot = torch.nn.functional.one_hot(labels, n_classes).to(images.dtype)
        sums = torch.einsum("nk,nchw->kchw", one_hot, images).double()
        total = sums if total is None else total + sums
        counts += one_hot.sum(dim=0)
    if total is None:
        raise UserError("There is no batch to take class means of: this split holds no image.")
    overall = total.sum(dim=0) / counts.sum()
    means = torch.where(counts.view(-1, 1, 1, 1) > 0, total / counts.clamp_min(1).view(-1, 1, 1, 1), overall)
    return means.float()


def _rows(model: InterpretableModel, batch: Batch, class_means: ClassMeans) -> dict[str, Tensor]:
    seen = model(batch.images)
    decided = class_means[seen.predictor.argmax(dim=1)]
    return {
        "indices": batch.indices,
        "labels": batch.labels,
        "predictor": seen.predictor,
        "interpreter": seen.interpreter,
        "attributes": seen.attributes,
        "reconstruction_error": squared_error(seen.reconstruction, batch.images),
        "class_mean_error": squared_error(decided, batch.images),
    }
