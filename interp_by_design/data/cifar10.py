"""CIFAR-10 from torchvision's files: 50,000 + 10,000 colour images of 32 x 32."""

from __future__ import annotations

from typing import final

import torch
from torchvision import datasets

from interp_by_design.data.published import Published
from interp_by_design.data.split import DataSplits, TensorSplit
from interp_by_design.terms import Normalisation

NORMALISATION = Normalisation(mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616))


@final
class CIFAR10(Published):
    """Animals and vehicles (Krizhevsky 2009).

    The published files are pickles: torchvision only unpickles files with the publisher's checksum.

    Args:
        root: the folder that holds the files.
        download: whether to download missing files.
        loading: the options of all data sets, see `ImageData`.
    """

    source = datasets.CIFAR10
    files = "cifar-10-batches-py with its six batch files"

    def read(self) -> DataSplits:
        train, test = self.open()
        return DataSplits(_split(train), _split(test), tuple(train.classes), NORMALISATION)


def _split(data: datasets.CIFAR10) -> TensorSplit:
    return TensorSplit(
        torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(data.targets)
    )
