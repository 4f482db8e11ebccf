"""Forward passes over a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext

import torch
from torch import nn

from interp_by_design.predictor import evaluating
from interp_by_design.terms import Batch, BatchWithActivations, ForwardPass, Images

Read = Callable[[Images], ForwardPass]


def forward_passes(
    read: Read, batches: Iterable[Batch | BatchWithActivations], device: torch.device | str
) -> Iterator[BatchWithActivations]:
    """Yield `batches` on `device`, each with its forward pass, without gradients.

    A batch that brings its pass is not run again. Where `read` is a module, it runs in evaluation
    mode, and its mode is restored after each batch.

    Args:
        read: A predictor, or any other function from images [n, c, h, w] to a `ForwardPass`.
        batches: Batches of images, with or without their passes.
        device: The device of `read`.

    Yields:
        One `BatchWithActivations` for each batch.
    """
    for given in batches:
        if isinstance(given, BatchWithActivations):
            batch, seen = _batch_to(given.batch, device), _pass_to(given.seen, device)
        else:
            batch = _batch_to(given, device)
            mode = evaluating(read) if isinstance(read, nn.Module) else nullcontext()
            with mode, torch.no_grad():
                seen = read(batch.images)
        yield BatchWithActivations(batch, seen)


def _batch_to(batch: Batch, device: torch.device | str) -> Batch:
    return Batch(*(part.to(device) for part in batch))


def _pass_to(seen: ForwardPass, device: torch.device | str) -> ForwardPass:
    return ForwardPass(seen.logits.to(device), tuple(layer.to(device) for layer in seen.hidden))
