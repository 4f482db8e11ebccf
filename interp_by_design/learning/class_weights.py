"""How much a sample of each class counts in the predictor's loss. Knows nothing of data sets."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.terms import UserError

BALANCED = "balanced"


def class_weights(
    wanted: str | Sequence[float] | None, counts: Sequence[int]
) -> Float[Tensor, "classes"] | None:
    """The weight of each class: None for all alike, "balanced" for n / (C n_c), or the numbers themselves.

    `counts` are the training images of each class, n_c; n is their sum. With balanced weights every class counts alike, and the
    mean weight of a sample is 1. Raises `UserError` for anything else.
    """
    if wanted is None:
        return None
    if wanted == BALANCED:
        if 0 in counts:
            raise UserError(
                f"class_weights=balanced needs training images of each class; there are {list(counts)}."
            )
        return torch.tensor([sum(counts) / (len(counts) * count) for count in counts])
    fits = (
        not isinstance(wanted, str)
        and len(wanted) == len(counts)
        and all(_is_weight(weight) for weight in wanted)
    )
    if not fits or not any(wanted):
        raise UserError(
            f"class_weights must be null, balanced, or {len(counts)} finite numbers >= 0, one a class, not all 0; not {wanted!r}."
        )
    return torch.tensor([float(weight) for weight in wanted])


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0
