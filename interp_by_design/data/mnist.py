"""MNIST and FashionMNIST from torchvision's files: 60,000 + 10,000 gray images of 28 x 28."""

from __future__ import annotations

from typing import final

from torchvision import datasets

from interp_by_design.data.published import Published
from interp_by_design.data.split import DataSplits, TensorSplit


class IdxData(Published):
    """A data set in four idx files under `root`/<name>/raw.

    Args:
        root: the folder that holds the files.
        download: whether to download missing files.
        loading: the options of all data sets, see `ImageData`.
    """

    @property
    def files(self) -> str:
        return f"{self.source.__name__}/raw with its four idx files"

    def read(self) -> DataSplits:
        train, test = self.open()
        # torchvision names the classes of MNIST "0 - zero"; people say "0".
        return DataSplits(
            _split(train), _split(test), tuple(name.split(" - ")[0] for name in train.classes)
        )


@final
class MNIST(IdxData):
    """Handwritten digits (LeCun, Cortes, Burges 1998)."""

    source = datasets.MNIST


@final
class FashionMNIST(IdxData):
    """Articles of clothing (Xiao, Rasul, Vollgraf 2017)."""

    source = datasets.FashionMNIST


def _split(data: datasets.MNIST) -> TensorSplit:
    return TensorSplit(data.data[:, None], data.targets)
