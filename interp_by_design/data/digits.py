"""Scikit-learn's handwritten digits: 1,797 gray images of 8 x 8, installed with the library."""

from __future__ import annotations

from typing import Unpack, final

import torch
from sklearn.datasets import load_digits

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.data.split import DataSplits, TensorSplit, hold_out

N_TEST = 360


@final
class Digits(ImageData):
    """The ten digits of Alpaydin and Kaynak (UCI, 1998); a stratified 360 are the test split.

    Args:
        loading: the options of all data sets, see `ImageData`.
    """

    def __init__(self, **loading: Unpack[Loading]) -> None:
        super().__init__(**loading)

    def read(self) -> DataSplits:
        digits = load_digits()
        # Published as 0..16 per pixel: not bytes, so kept as floats.
        whole = TensorSplit(
            torch.from_numpy(digits.images).float()[:, None] / 16,
            torch.from_numpy(digits.target).long(),
        )
        train, test = hold_out(whole.labels, N_TEST)
        return DataSplits(
            whole.take(train), whole.take(test), tuple(str(name) for name in digits.target_names)
        )
