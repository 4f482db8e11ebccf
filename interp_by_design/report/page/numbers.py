"""Tensors as plain numbers for JSON."""

from __future__ import annotations

import math

from torch import Tensor

Pairs = tuple[tuple[int, float], ...]  # (class, share or count), the largest first


def exact(values: Tensor) -> tuple[float, ...]:
    """Convert float32 numbers that the page computes with.

    Args:
        values: A vector [n].

    Returns:
        Numbers with the fewest digits that identify each float32.
    """
    return tuple(float(str(value)) for value in values.detach().cpu().float().numpy())


def rounded(value: float, digits: int = 5) -> float:
    """Round a number that people only look at.

    Args:
        value: The number.
        digits: Significant digits.

    Returns:
        The rounded number.

    >>> rounded(0.1234567)
    0.12346
    """
    return float(f"{value:.{digits}g}")


def finite(value: float) -> float | None:
    """Round a number, or return None where it is not defined.

    Args:
        value: The number; NaN and infinities are undefined.

    Returns:
        The rounded number or None.
    """
    return rounded(value) if math.isfinite(value) else None


def ranked(values: Tensor, minimum: float = 0) -> Pairs:
    """Return the classes with a value above a minimum, the largest first.

    Args:
        values: A value of each class, [C].
        minimum: Values up to this are left out.

    Returns:
        Pairs of class and value.
    """
    order = values.argsort(descending=True, stable=True).tolist()
    return tuple((c, rounded(value, 7)) for c in order if (value := float(values[c])) > minimum)
