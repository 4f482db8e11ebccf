"""Intervals of callbacks."""

from __future__ import annotations

import math
from typing import Any

import pytest

from interp_by_design.callbacks.interval import MIN_STEPS, Interval
from interp_by_design.terms import UserError


def ends(every: Any, max_epochs: int | None, steps: float = 1e6) -> list[int]:
    last = max_epochs if max_epochs and max_epochs > 0 else 30
    return [
        epoch for epoch in range(1, last + 1) if Interval(every).ends_with(epoch, max_epochs, steps)
    ]


@pytest.mark.parametrize(
    ("every", "max_epochs", "epochs"),
    [
        (1, 4, [1, 2, 3, 4]),
        (3, 10, [3, 6, 9]),
        (None, 10, []),
        (0.25, 8, [2, 4, 6, 8]),
        (0.25, 10, [3, 5, 8, 10]),
        (0.25, 2, [1, 2]),
        (0.25, 1, [1]),
        (0.5, 3, [2, 3]),
        (0.1, 30, [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]),
        (0.3, 10, [4, 7, 10]),
        (0.6, 10, [10]),
        (0.25, -1, [5, 10, 15, 20, 25, 30]),
        (0.25, None, [5, 10, 15, 20, 25, 30]),
    ],
)
def test_intervals_end_with_these_epochs(
    every: Any, max_epochs: int | None, epochs: list[int]
) -> None:
    assert ends(every, max_epochs) == epochs


@pytest.mark.parametrize(
    ("max_epochs", "steps", "epochs"),
    [
        (20, 18, [20]),  # digits
        (6, 421, [2, 4, 6]),  # MNIST
        (8, 250, [4, 8]),
        (3, 10, [3]),
        (4, math.inf, [1, 2, 3, 4]),
        (-1, 80, [10, 20, 30]),
        (-1, 96, [9, 17, 25]),
    ],
)
def test_a_share_is_at_least_so_many_steps(
    max_epochs: int, steps: float, epochs: list[int]
) -> None:
    assert ends(0.25, max_epochs, steps) == epochs
    assert ends(1, max_epochs, steps) == ends(1, max_epochs), "who gives epochs gets them"


@pytest.mark.parametrize("share", [0.01, 0.07, 0.1, 0.2, 0.25, 1 / 3, 0.5, 0.99])
@pytest.mark.parametrize("max_epochs", [1, 2, 7, 10, 90, 1000])
@pytest.mark.parametrize("steps", [3, 70, 4000])
def test_a_share_is_shown_so_many_times_the_last_one_at_the_end(
    share: float, max_epochs: int, steps: float
) -> None:
    found = ends(share, max_epochs, steps)
    assert len(found) == max(
        1, min(max_epochs, int(1 / share + 1e-6), int(max_epochs * steps / MIN_STEPS + 1e-6))
    )
    assert found[-1] == max_epochs
    gaps = [later - earlier for earlier, later in zip([0, *found], found, strict=False)]
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("every", [0, -1, 0.0, 1.0, 1.5, float("nan"), float("inf"), True, "1"])
def test_invalid_intervals_are_refused(every: Any) -> None:
    with pytest.raises(UserError, match="Give a whole number of epochs, a share of the training"):
        Interval(every)
