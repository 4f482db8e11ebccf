"""Base of the data sets that torchvision downloads and reads."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Unpack, final

from torchvision import datasets

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.terms import UserError


class Published(ImageData):
    """A data set of torchvision.

    Args:
        root: the folder that holds the files.
        download: whether to download missing files.
        loading: the options of all data sets, see `ImageData`.
    """

    def __init__(
        self, root: str | Path, download: bool = False, **loading: Unpack[Loading]
    ) -> None:
        super().__init__(**loading)
        self.root, self.download = Path(root), download

    @property
    @abstractmethod
    def source(self) -> type[datasets.VisionDataset]:
        """The torchvision class that reads and downloads the files."""

    @property
    @abstractmethod
    def files(self) -> str:
        """The files and their place under `root`, for messages."""

    @final
    def prepare_data(self) -> None:
        """Download in one process only: Lightning calls this on one rank."""
        if not self.is_read:
            self.open()

    @final
    def open(self) -> tuple[Any, Any]:
        """Open torchvision's train and test set.

        Returns:
            The two data sets.

        Raises:
            UserError: if files are missing or damaged, or cannot be downloaded.
        """
        name, where, files = self.source.__name__, self.root.absolute(), self.files
        try:
            return self.source(self.root, train=True), self.source(self.root, train=False)
        except (AssertionError, ValueError) as broken:  # truncated, empty or foreign files
            raise UserError(
                f"One of the files of {name} in '{where}' is damaged: wanted {files}. "
                "Delete it, and download it with data.download=true."
            ) from broken
        except RuntimeError as missing:  # also a wrong checksum, where torchvision knows it
            if not self.download:
                raise UserError(
                    f"No {name} in '{where}': wanted {files}, whole and as published. "
                    "Point data.root=... at the folder that holds them, or set data.download=true."
                ) from missing
        try:
            return self.source(self.root, train=True, download=True), self.source(
                self.root, train=False
            )
        except (RuntimeError, OSError) as failed:
            raise UserError(
                f"{name} could not be downloaded to '{where}': {failed}. "
                f"Check the connection, or point data.root=... at a folder that holds {files}."
            ) from failed
