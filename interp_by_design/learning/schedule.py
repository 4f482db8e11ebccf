"""When each term of the objective enters, and how. Knows nothing of what the terms are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import final

from interp_by_design.terms import UserError


@final
class Schedule:
    """A term's factor over training: a step function of the epoch, each step reached by a linear ramp if wanted.

    `steps` maps an epoch (1 is the first) to the factor from its start on; before the first step the factor is 0. With `ramp` r
    > 0, a step is climbed linearly over the r epochs that follow its start.

    >>> official = Schedule({2: 0.1, 3: 1.0})
    >>> [official.factor(epoch) for epoch in (1.0, 2.5, 3.0)]
    [0.0, 0.1, 1.0]
    """

    def __init__(self, steps: Mapping[float, float], ramp: float = 0.0) -> None:
        """Raises `UserError` for an epoch before 1, a negative factor or ramp, or a ramp that reaches into the next step."""
        self.steps = sorted((float(epoch), float(factor)) for epoch, factor in steps.items())
        self.ramp = float(ramp)
        numbers = [ramp, *(number for step in self.steps for number in step)]
        if not all(math.isfinite(number) and number >= 0 for number in numbers) or any(
            epoch < 1 for epoch, _ in self.steps
        ):
            raise UserError(
                f"A schedule maps epochs from 1 on to factors >= 0, with a ramp >= 0 epochs; not {dict(steps)} with ramp {ramp}."
            )
        starts = [epoch for epoch, _ in self.steps]
        if any(later - earlier < self.ramp for earlier, later in pairwise(starts)):
            raise UserError(
                f"A ramp of {ramp} epochs does not end before the next step: the steps begin at {starts}."
            )

    def factor(self, epoch: float) -> float:
        """The factor at `epoch`, a real number: 1.0 is the start of the first epoch, 1.5 its middle."""
        value = 0.0
        for start, target in self.steps:
            if epoch < start:
                break
            climbed = 1.0 if self.ramp == 0 else min(1.0, (epoch - start) / self.ramp)
            value += (target - value) * climbed
        return value
