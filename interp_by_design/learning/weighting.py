"""Weights of the samples of each class in the prediction term."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.terms import UserError, check_weight

BALANCED = "balanced"


def class_weights(
    wanted: str | Sequence[float] | None, counts: Sequence[int]
) -> Float[Tensor, "classes"] | None:
    """Return the weight of each class.

    Args:
        wanted: None for equal weights, "balanced" for n / (C n_c), or the weights themselves. With
            balanced weights every class counts alike, and the mean weight of a sample is 1.
        counts: The number of training images of each class, n_c; n is their sum.

    Returns:
        The weights, [C]; None for equal ones.

    Raises:
        UserError: `wanted` is anything else, or balanced where a class has no training image.

    >>> class_weights("balanced", [1, 3]).tolist()
    [2.0, 0.6666666865348816]
    """
    if wanted is None:
        return None
    if wanted == BALANCED:
        if 0 in counts:
            raise UserError(
                "class_weights=balanced needs training images of each class; "
                f"there are {list(counts)}."
            )
        return torch.tensor([sum(counts) / (len(counts) * count) for count in counts])
    weights = _checked(wanted)
    if len(weights) != len(counts) or not any(weights):
        raise UserError(
            f"class_weights must be null, balanced, or {len(counts)} finite numbers >= 0, "
            f"one a class, not all 0; not {wanted!r}."
        )
    return torch.tensor(weights)


def _checked(wanted: str | Sequence[float]) -> list[float]:
    """Return the weights as floats; none where one of them is no weight."""
    if isinstance(wanted, str):
        return []
    try:
        return [check_weight("of a class", weight) for weight in wanted]
    except UserError:
        return []
