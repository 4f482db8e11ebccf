"""Quick, Draw! bitmaps as Google publishes them: a `.npy` file per class, rows of 784 bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack, final

import numpy as np
import numpy.typing as npt
import torch

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.data.split import DataSplits, TensorSplit, count_held_out
from interp_by_design.terms import UnknownName, UserError, check_whole

SIDE = 28


@final
class QuickDraw(ImageData):
    """Drawings of 28 x 28 (Ha and Eck 2017; the `numpy_bitmap` files) in `root`/quickdraw.

    Args:
        root: the folder that holds `quickdraw`, with one `<class>.npy` per class.
        classes: names of files without `.npy`, in label order; None takes all, by name.
        per_class: drawings to read from the start of each file; None reads all.
        test: the drawings at the end of each class that form the test split, a count or a fraction
            below 1. FLINT: per_class 10000, test 2000.
        loading: the options of all data sets, see `ImageData`.

    Raises:
        UserError: if an option is out of range.
    """

    def __init__(
        self,
        root: str | Path,
        classes: Sequence[str] | None = None,
        per_class: int | None = None,
        test: int | float = 0.2,
        **loading: Unpack[Loading],
    ) -> None:
        super().__init__(**loading)
        if classes is not None and len(classes) < 2:
            raise UserError(
                f"classes={list(classes)} leaves nothing to distinguish. "
                "Name at least two, or give null for all."
            )
        if per_class is not None:
            check_whole("per_class", per_class, minimum=2)
        self.folder, self.classes, self.per_class, self.test = (
            Path(root) / "quickdraw",
            classes,
            per_class,
            test,
        )

    def read(self) -> DataSplits:
        names = self._names()
        drawings = [_rows(self.folder / f"{name}.npy", self.per_class) for name in names]
        cuts = [len(rows) - count_held_out(self.test, len(rows), "test") for rows in drawings]
        train = [rows[:cut] for rows, cut in zip(drawings, cuts, strict=True)]
        test = [rows[cut:] for rows, cut in zip(drawings, cuts, strict=True)]
        return DataSplits(_split(train), _split(test), names)

    def _names(self) -> tuple[str, ...]:
        known = sorted(path.stem for path in self.folder.glob("*.npy"))
        if not known:
            raise UserError(
                f"No .npy file in '{self.folder.absolute()}'. "
                "Wanted Quick, Draw! bitmaps, one <class>.npy each, from "
                "https://github.com/googlecreativelab/quickdraw-dataset. "
                "Put them there, or set data.root=..."
            )
        for name in self.classes or ():
            if name not in known:
                raise UnknownName.among("class", name, known, owner=f"'{self.folder}'")
        return tuple(self.classes or known)


def _rows(path: Path, limit: int | None) -> npt.NDArray[np.uint8]:
    """The first `limit` drawings of a file, memory-mapped: a class has 100,000 or more."""
    try:
        rows: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r")[:limit]
    except (ValueError, OSError, EOFError) as broken:
        raise UserError(
            f"'{path}' is no readable .npy file ({broken}). Download it again."
        ) from broken
    if rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != SIDE * SIDE:
        raise UserError(
            f"'{path}' holds {rows.dtype} of shape {rows.shape}; wanted uint8 [n, {SIDE * SIDE}]. "
            "Replace it."
        )
    return rows


def _split(drawings: Sequence[npt.NDArray[np.uint8]]) -> TensorSplit:
    labels = torch.repeat_interleave(
        torch.arange(len(drawings)), torch.tensor([len(rows) for rows in drawings])
    )
    return TensorSplit(torch.from_numpy(np.concatenate(drawings)).view(-1, 1, SIDE, SIDE), labels)
