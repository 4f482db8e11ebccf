"""Chunks: the squares of pixels that an explanation of an image is made of. Knows nothing of who explains."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.terms import Images, UserError


@dataclass(frozen=True)
class Chunks:
    """Squares of `side` pixels that cover an image of `height` x `width`, row by row. Raises `UserError` where they do not."""

    height: int
    width: int
    side: int

    def __post_init__(self) -> None:
        if self.side < 1 or self.height % self.side or self.width % self.side:
            raise UserError(
                f"Chunks of {self.side} x {self.side} pixels do not cover an image of {self.height} x {self.width}. "
                "Give a side that divides both."
            )

    @property
    def grid(self) -> tuple[int, int]:
        """How many chunks there are from top to bottom, and from left to right."""
        return self.height // self.side, self.width // self.side

    def __len__(self) -> int:
        rows, columns = self.grid
        return rows * columns

    def mask(self, shown: Float[Tensor, "n chunks"]) -> Images:
        """What to multiply images with, [n, 1, h, w]: each pixel has the value of its chunk."""
        values = shown.reshape(-1, 1, *self.grid)
        return values.repeat_interleave(self.side, dim=2).repeat_interleave(self.side, dim=3)


def largest(scores: Float[Tensor, "n chunks"], k: int) -> Bool[Tensor, "n chunks"]:
    """Which chunks have the k largest scores of their row."""
    chosen = scores.topk(k, dim=1).indices
    return scores.new_zeros(scores.shape).scatter(1, chosen, 1) > 0
