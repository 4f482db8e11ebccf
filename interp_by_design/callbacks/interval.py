"""When something is shown in training. Knows nothing of what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from interp_by_design.terms import UserError

# Steps, at least, where the user asks for a share: all that is shown takes as long as 20 steps of LeNet on MNIST, 60 on digits.
APART = 800
ENDLESS = 20  # epochs that a share is taken of where the training has no last one


@final
@dataclass(frozen=True)
class Interval:
    """`every` so many epochs; or a share of the training, below 1, and at least 800 steps; None is never.

    What comes at the end of the training is not asked here. The same epochs on every machine: no clock is read.
    """

    every: int | float | None

    def __post_init__(self) -> None:
        """Raises `UserError` for anything else."""
        if self.every is None or (
            isinstance(self.every, int) and not isinstance(self.every, bool) and self.every >= 1
        ):
            return
        if not (isinstance(self.every, float) and 0 < self.every < 1):
            raise UserError(
                f"every={self.every!r} is no interval. Give a whole number of epochs, a share of the training such as 0.25 "
                "(more than 0, less than 1), or null for its end alone."
            )

    def ends_with(self, epoch: int, max_epochs: int | None, steps: float) -> bool:
        """Whether an interval ends with `epoch` (1 is the first) of `max_epochs`, each of so many `steps`.

        `max_epochs` is None or -1 where there is no last one. A training is cut into equal intervals, the last one ends with it.

        >>> [epoch for epoch in range(1, 11) if Interval(0.25).ends_with(epoch, 10, steps=400)]
        [3, 5, 8, 10]
        >>> [epoch for epoch in range(1, 11) if Interval(0.25).ends_with(epoch, 10, steps=200)]
        [5, 10]
        """
        if self.every is None:
            return False
        if isinstance(self.every, int):
            return epoch % self.every == 0
        if max_epochs is None or max_epochs < 1:
            length = max(self.every * ENDLESS, APART / steps)
        else:
            length = max_epochs / max(
                1, math.floor(min(1 / self.every, max_epochs * steps / APART) + 1e-9)
            )
        # A little more, as 3 / (0.1 * 30) is less than 1.
        return math.floor(epoch / length + 1e-9) > math.floor((epoch - 1) / length + 1e-9)
