"""Data sets that torchvision fetches and reads whole. Knows nothing of loaders."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Unpack, final

from torchvision import datasets

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.terms import UserError


class Published(ImageData):
    """A data set of torchvision's under `root`.

    download: fetch files that are not there; never tried when they are.
    """

    def __init__(
        self, root: str | Path, download: bool = False, **loading: Unpack[Loading]
    ) -> None:
        super().__init__(**loading)
        self.root, self.download = Path(root), download

    @property
    @abstractmethod
    def source(self) -> type[datasets.VisionDataset]:
        """The torchvision class that knows the files and where they are published."""

    @property
    @abstractmethod
    def files(self) -> str:
        """Where in `root` the files lie, and what they are, for people to read."""

    @final
    def prepare_data(self) -> None:
        """Lightning calls this in one process only, so that several ranks do not download at once."""
        if not self.is_read:
            self.open()

    @final
    def open(self) -> tuple[Any, Any]:
        """Torchvision's train and test set. Raises UserError where they cannot be had."""
        name, where, files = self.source.__name__, self.root.absolute(), self.files
        try:
            return self.source(self.root, train=True), self.source(self.root, train=False)
        except (
            AssertionError,
            ValueError,
        ) as broken:  # how torchvision meets files that are cut short, empty, or something else
            raise UserError(
                f"One of the files of {name} in '{where}' is damaged, or something else: wanted {files}. "
                "Delete it, and fetch it with data.download=true."
            ) from broken
        except (
            RuntimeError
        ) as missing:  # also for files of which the checksum is wrong, where torchvision has one
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
