"""Schedules of the terms of an objective."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import final

from interp_by_design.terms import UserError


@final
class Schedule:
    """A term's factor over training: a step function of the epoch, with linear ramps if wanted.

    Args:
        steps: Maps an epoch, 1 for the first, to the factor from its start on. Before the first
            step
            the factor is 0.
        ramp: Over how many epochs after its start each step is reached, linearly.

    Raises:
        UserError: An epoch is before 1, a factor or the ramp is negative or not finite, or the ramp
            reaches into the next step.

    >>> official = Schedule({2: 0.1, 3: 1.0})
    >>> [official.factor(epoch) for epoch in (1.0, 2.5, 3.0)]
    [0.0, 0.1, 1.0]
    """

    def __init__(self, steps: Mapping[float, float], ramp: float = 0.0) -> None:
        self.steps = sorted((float(epoch), float(factor)) for epoch, factor in steps.items())
        self.ramp = float(ramp)
        numbers = [ramp, *(number for step in self.steps for number in step)]
        if not all(math.isfinite(number) and number >= 0 for number in numbers) or any(
            epoch < 1 for epoch, _ in self.steps
        ):
            raise UserError(
                "A schedule maps epochs from 1 on to factors >= 0, with a ramp >= 0 epochs; "
                f"not {dict(steps)} with ramp {ramp}."
            )
        starts = [epoch for epoch, _ in self.steps]
        if any(later - earlier < self.ramp for earlier, later in pairwise(starts)):
            raise UserError(
                f"A ramp of {ramp} epochs does not end before the next step: "
                f"the steps begin at {starts}."
            )

    def factor(self, epoch: float) -> float:
        """Return the factor at a time.

        Args:
            epoch: The time in epochs: 1.0 is the start of the first, 1.5 its middle.

        Returns:
            The factor, >= 0.
        """
        value = 0.0
        for start, target in self.steps:
            if epoch < start:
                break
            reached = 1.0 if self.ramp == 0 else min(1.0, (epoch - start) / self.ramp)
            value += (target - value) * reached
        return value
