"""Batches with what f makes of them, whether that was recorded or not. Knows nothing of what reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Batch, BatchWithActivations, ForwardPass


def passes(
    model: InterpretableModel, batches: Iterable[Batch | BatchWithActivations]
) -> Iterator[BatchWithActivations]:
    """`batches` on the model's device, each with the pass of f, which is run in evaluation mode where a batch brings none.

    Nothing keeps a gradient; between batches the model is as it was.
    """
    device = model.interpreter.head.weights.device
    for given in batches:
        batch = Batch(
            *(
                part.to(device)
                for part in (given.batch if isinstance(given, BatchWithActivations) else given)
            )
        )
        if isinstance(given, BatchWithActivations):
            seen = ForwardPass(
                given.seen.logits.to(device), tuple(layer.to(device) for layer in given.seen.hidden)
            )
        else:
            with evaluating(model.predictor), torch.no_grad():
                seen = model.predictor(batch.images)
        yield BatchWithActivations(batch, seen)
