"""Base of data sets whose images are rendered from drawn scenes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, Self, TypeVar, Unpack

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.terms import Indices, check_whole


class _Takes(Protocol):
    def take(self, rows: Indices) -> Self:
        """Return these rows."""


DrawnT = TypeVar("DrawnT", bound=_Takes)


class RenderedData(ImageData, Generic[DrawnT]):
    """Data set whose scenes are drawn once, by counts and the seed of a world.

    Args:
        n_train: The number of scenes to train on, at least 2; validation is cut from them.
        n_test: The number of scenes to test on, at least 1.
        world: The seed of the scenes, at least 0.
        draw: Draws scenes, given their number, the world, and 0 for train or 1 for test.
        loading: The options of all data sets, see `ImageData`.

    Raises:
        UserError: For a number that is out of range.
    """

    def __init__(
        self,
        n_train: int,
        n_test: int,
        world: int,
        draw: Callable[[int, int, int], DrawnT],
        **loading: Unpack[Loading],
    ) -> None:
        super().__init__(**loading)
        check_whole("n_train", n_train, minimum=2)
        check_whole("n_test", n_test, minimum=1)
        check_whole("world", world, minimum=0)
        self._drawn = {"train": draw(n_train, world, 0), "test": draw(n_test, world, 1)}

    def scenes(self, split: str) -> DrawnT:
        """Return the scenes that the images of a split are rendered from.

        Args:
            split: `train`, `val` or `test`.

        Returns:
            The scenes, in the order of the split.
        """
        rows = self.rows(split)
        return self._drawn["test" if split == "test" else "train"].take(rows)
