"""Data sets made of tensors in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack, final

from torch import Tensor

from interp_by_design.data.check import check_split
from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.data.split import DataSplits, TensorSplit, count_held_out, hold_out
from interp_by_design.terms import Normalisation


@final
class TensorData(ImageData):
    """Images and labels in tensors.

    Args:
        images: [n, c, h, w], uint8 in 0..255 or floats in [0, 1].
        labels: [n], int64 in 0 .. C-1.
        class_names: the name of each of the C classes.
        test: images and labels of a test split, or how many to cut from those given: a count, or a
            fraction below 1.
        normalisation: what the model applies to images in [0, 1] first; nothing by default.
        loading: the options of all data sets, see `ImageData`.

    Raises:
        UserError: at `setup`, if labels or pixels are out of range, or shapes do not fit.

    >>> import torch
    >>> images, labels = torch.rand(40, 1, 8, 8), torch.arange(40) % 2
    >>> data = TensorData(images, labels, ("even", "odd"), test=0.25)
    >>> data.setup()
    >>> len(data.split("train")), len(data.split("val")), len(data.split("test"))
    (27, 3, 10)
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        class_names: Sequence[str],
        test: tuple[Tensor, Tensor] | int | float = 0.2,
        normalisation: Normalisation | None = None,
        **loading: Unpack[Loading],
    ) -> None:
        super().__init__(**loading)
        self.given, self.class_names, self.test = (
            TensorSplit(images.detach().cpu(), labels.cpu()),
            tuple(class_names),
            test,
        )
        self.normalisation = normalisation or Normalisation()

    def read(self) -> DataSplits:
        train, test = self._cut()
        return DataSplits(train, test, self.class_names, self.normalisation)

    def _cut(self) -> tuple[TensorSplit, TensorSplit]:
        if not isinstance(self.test, int | float):
            images, labels = self.test
            return self.given, TensorSplit(images.detach().cpu(), labels.cpu())
        check_split(self.given, "given", len(self.class_names))
        kept, held = hold_out(self.given.labels, count_held_out(self.test, len(self.given), "test"))
        return self.given.take(kept), self.given.take(held)
