"""MNIST and FashionMNIST from torchvision's files: 60,000 + 10,000 gray images of 28 x 28. Knows nothing of loaders."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Unpack, final

from torchvision import datasets

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.data.split import Reading, Split
from interp_by_design.terms import UserError


class IdxData(ImageData):
    """A torchvision data set kept in four idx files under `root`/<name>/raw.

    download: fetch files that are not there; never tried when they are.
    """

    def __init__(self, root: str | Path, download: bool = False, **loading: Unpack[Loading]) -> None:
        super().__init__(**loading)
        self.root, self.download = Path(root), download

    @property
    @abstractmethod
    def source(self) -> type[datasets.MNIST]:
        """The torchvision class that knows the files and where they are published."""

    def prepare_data(self) -> None:
        """Lightning calls this in one process only, so that several ranks do not download at once."""
        if not self.is_read:
            self._open()

    def read(self) -> Reading:
        train, test = self._open()
        # torchvision's MNIST calls its classes "0 - zero"; the figure alone is the name people use.
        return Reading(_split(train), _split(test), tuple(name.split(" - ")[0] for name in train.classes))

    def _open(self) -> tuple[datasets.MNIST, datasets.MNIST]:
        name, where = self.source.__name__, self.root.absolute()
        try:
            return self.source(self.root, train=True), self.source(self.root, train=False)
        except (AssertionError, ValueError) as broken:  # how torchvision meets files that are cut short, empty, or something else
            raise UserError(
                f"A file in '{where / name / 'raw'}' is damaged, or no idx file. Delete it, and fetch it with data.download=true."
            ) from broken
        except RuntimeError as missing:
            if not self.download:
                raise UserError(
                    f"No {name} in '{where}': wanted its four idx files in '{where / name / 'raw'}'. "
                    "Point data.root=... at the folder that holds them, or set data.download=true."
                ) from missing
        try:
            return self.source(self.root, train=True, download=True), self.source(self.root, train=False)
        except (RuntimeError, OSError) as failed:
            raise UserError(
                f"{name} could not be downloaded to '{where}': {failed}. "
                "Check the connection, or point data.root=... at a folder that holds its four idx files."
            ) from failed


@final
class MNIST(IdxData):
    """Handwritten digits (LeCun, Cortes, Burges 1998)."""

    source = datasets.MNIST


@final
class FashionMNIST(IdxData):
    """Articles of clothing (Xiao, Rasul, Vollgraf 2017)."""

    source = datasets.FashionMNIST


def _split(data: datasets.MNIST) -> Split:
    return Split(data.data[:, None], data.targets)
