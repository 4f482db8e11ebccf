"""The logits of a network: their place in its output, and layers that repeat them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from interp_by_design.statistics import standardise
from interp_by_design.terms import Logits, UserError


def logits_of(output: object) -> Logits:
    """Return the logits in the output of a network.

    Args:
        output: the logits, a tuple that begins with them, or a dict or object with `logits`, as in
            transformers. Auxiliary outputs of a training network stand behind the logits.

    Returns:
        Logits [n, C].

    Raises:
        UserError: the output has none of these forms.

    >>> logits_of({"logits": torch.zeros(2, 3)}).shape
    torch.Size([2, 3])
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
            f"The network gives {shape_or_type(first)}; wanted logits [n, C], or a tuple that "
            "begins with them, or a dict of 'logits'. Wrap it in a module that returns its logits."
        )
    return first


def shape_or_type(value: object) -> object:
    """Return a tensor's shape, or the name of another value's type, for a message.

    Args:
        value: any value.
    """
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__


def class_scores(layer: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two vectors of a layer that could be scores of classes.

    Args:
        layer: vectors [n, d], or maps [n, d, h, w], which are averaged over their positions.

    Returns:
        The vectors [n, d] as they are, and behind a ReLU.
    """
    if layer.ndim == 2:
        return layer, layer.relu()
    return layer.mean((2, 3)), layer.relu().mean((2, 3))


def repeats_logits(scores: tuple[Tensor, Tensor], logits: Logits) -> bool:
    """Return whether a layer repeats the logits.

    The logits scaled or shifted count, as do their probabilities and log-probabilities.

    Args:
        scores: the layer's `class_scores`.
        logits: the network's logits [n, C] for the same images.
    """
    if scores[0].shape != logits.shape:
        return False
    repeated = (logits, logits.softmax(dim=1), logits.log_softmax(dim=1))
    if any(torch.allclose(score, one) for score in scores for one in repeated):
        return True
    return torch.allclose(standardise(scores[0]), standardise(logits), atol=1e-3) and bool(
        (logits.std(dim=0) > 0).all()
    )
