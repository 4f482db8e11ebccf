"""Scikit-learn's handwritten digits, 1,797 gray images of 8 x 8: small, and installed with the library. No network, no files."""

from __future__ import annotations

from typing import Unpack, final

import torch
from sklearn.datasets import load_digits

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.data.split import Reading, TensorSplit, hold_out

N_TEST = 360


@final
class Digits(ImageData):
    """The ten digits of Alpaydin and Kaynak (UCI, 1998); a fixed, stratified 360 of them are the test split."""

    def __init__(self, **loading: Unpack[Loading]) -> None:
        super().__init__(**loading)

    def read(self) -> Reading:
        digits = load_digits()
        # Published as 0..16 strokes a pixel: not bytes, so kept as floats.
        whole = TensorSplit(
            torch.from_numpy(digits.images).float()[:, None] / 16,
            torch.from_numpy(digits.target).long(),
        )
        train, test = hold_out(whole.labels, N_TEST)
        return Reading(
            whole.take(train), whole.take(test), tuple(str(name) for name in digits.target_names)
        )
