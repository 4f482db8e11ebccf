"""Chunks: the squares of pixels that LIME and VIBI select."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.terms import Images, UserError


@dataclass(frozen=True)
class ImageChunks:
    """Squares of pixels that cover an image, row by row.

    Args:
        height: rows of the image.
        width: columns of the image.
        side: pixels on a side of a square; divides both.

    Raises:
        UserError: the squares do not cover the image.
    """

    height: int
    width: int
    side: int

    def __post_init__(self) -> None:
        if self.side < 1 or self.height % self.side or self.width % self.side:
            raise UserError(
                f"Chunks of {self.side} x {self.side} pixels do not cover an image of "
                f"{self.height} x {self.width}. Give a side that divides both."
            )

    @property
    def grid(self) -> tuple[int, int]:
        """The numbers of chunks from top to bottom and from left to right."""
        return self.height // self.side, self.width // self.side

    def __len__(self) -> int:
        rows, columns = self.grid
        return rows * columns

    def mask(self, shown: Float[Tensor, "n chunks"]) -> Images:
        """Return masks [n, 1, h, w] in which each pixel has the value of its chunk.

        Args:
            shown: a value for each chunk, [n, chunks].
        """
        values = shown.reshape(-1, 1, *self.grid)
        return values.repeat_interleave(self.side, dim=2).repeat_interleave(self.side, dim=3)


def largest(scores: Float[Tensor, "n chunks"], k: int) -> Bool[Tensor, "n chunks"]:
    """Return which chunks have the k largest scores of their row.

    Args:
        scores: a score for each chunk, [n, chunks].
        k: number of chunks.
    """
    chosen = scores.topk(k, dim=1).indices
    return scores.new_zeros(scores.shape).scatter(1, chosen, 1) > 0
