"""The answer of a network: where its logits are in what it gives, and whether a layer repeats them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from interp_by_design.terms import Logits, UserError


def logits_of(output: object) -> Logits:
    """The logits [n, C]: a network's output, the first of a tuple, or `logits` of a dict or an object, as in transformers.

    Auxiliary outputs stand behind the logits while a network such as GoogLeNet trains. Raises `UserError` for anything else.
    """
    first = output
    if isinstance(output, tuple):
        first = output[0] if output else output
    elif isinstance(output, Mapping):
        first = output.get("logits", output)
    elif not isinstance(output, Tensor):
        first = getattr(output, "logits", output)
    if not isinstance(first, Tensor) or first.ndim != 2:
        raise UserError(
            f"The network gives {kind_of(first)}; wanted logits [n, C], or a tuple that begins with them, or a dict of 'logits'. "
            "Wrap it in a module that returns its logits."
        )
    return first


def kind_of(output: object) -> object:
    """What a message says of a value: a tensor's shape, or the name of its type."""
    return tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__


def readings(layer: Tensor) -> tuple[Tensor, Tensor]:
    """What a vector [n, d], or a map [n, d, h, w] by its means, could say of d classes: as it is, and behind a ReLU."""
    if layer.ndim == 2:
        return layer, layer.relu()
    return layer.mean((2, 3)), layer.relu().mean((2, 3))


def is_answer(said: tuple[Tensor, Tensor], logits: Logits) -> bool:
    """Whether a layer's `readings` are the logits, also scaled or shifted, or their probabilities, or the logarithms of those."""
    answers = (logits, logits.softmax(dim=1), logits.log_softmax(dim=1))
    if said[0].shape != logits.shape:
        return False
    if any(torch.allclose(reading, answer) for reading in said for answer in answers):
        return True
    return torch.allclose(_standardised(said[0]), _standardised(logits), atol=1e-3) and bool(
        (logits.std(dim=0) > 0).all()
    )


def _standardised(values: Tensor) -> Tensor:
    deviation, mean = torch.std_mean(values, dim=0)
    return (values - mean) / deviation.clamp_min(torch.finfo(values.dtype).tiny)
