"""Intervals at which something is shown during training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from interp_by_design.terms import UserError

# Steps of an interval that is a share of the training. What is shown takes as long as 20 steps of
# LeNet on MNIST, 60 on digits.
MIN_STEPS = 800
ENDLESS_EPOCHS = 20  # assumed length of a training without a last epoch


@final
@dataclass(frozen=True)
class Interval:
    """An interval in epochs, the same on every machine because no clock is read.

    Args:
        every: A whole number of epochs; or a share of the training below 1, of at least 800
            steps; None for never.

    Raises:
        UserError: `every` is something else.
    """

    every: int | float | None

    def __post_init__(self) -> None:
        if self.every is None or (
            isinstance(self.every, int) and not isinstance(self.every, bool) and self.every >= 1
        ):
            return
        if not (isinstance(self.every, float) and 0 < self.every < 1):
            raise UserError(
                f"every={self.every!r} is no interval. Give a whole number of epochs, a share of "
                "the training such as 0.25 (more than 0, less than 1), or null for its end alone."
            )

    def ends_with(self, epoch: int, max_epochs: int | None, steps: float) -> bool:
        """Return whether an interval ends with an epoch.

        A training is cut into equal intervals, the last of which ends with it.

        Args:
            epoch: The epoch; 1 is the first.
            max_epochs: Epochs of the training; None or -1 where there is no last one.
            steps: Steps of an epoch.

        Returns:
            Whether an interval ends.

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
            length = max(self.every * ENDLESS_EPOCHS, MIN_STEPS / steps)
        else:
            length = max_epochs / max(
                1, math.floor(min(1 / self.every, max_epochs * steps / MIN_STEPS) + 1e-9)
            )
        # The small number is for rounding: 3 / (0.1 * 30) is less than 1.
        return math.floor(epoch / length + 1e-9) > math.floor((epoch - 1) / length + 1e-9)
