"""Split whose images are files, decoded on demand."""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from interp_by_design.data.picture import Picture, unreadable
from interp_by_design.data.split import Split, TensorSplit
from interp_by_design.terms import Indices, UserError

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True, eq=False)
class FileSplit(Split):
    """Image files with labels.

    Args:
        root: the folder that `names` are relative to.
        names: the files [n].
        labels: [n], int64.
        picture: how images are decoded.
    """

    root: Path
    names: Sequence[str]
    labels: Tensor
    picture: Picture

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.picture.shape

    def pixels(self, indices: Indices) -> Tensor:
        pixels = torch.empty(len(indices), *self.image_shape, dtype=torch.uint8)
        for i, into in zip(indices.tolist(), pixels.numpy(), strict=True):
            self._decode(i, into)
        return pixels

    def take(self, rows: Indices) -> FileSplit:
        return FileSplit(
            self.root,
            [self.names[i] for i in rows.tolist()],
            self.labels.index_select(0, rows),
            self.picture,
        )

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of names, file sizes, labels and decoding, without reading."""
        digest = hashlib.sha256(repr(self.picture).encode())
        for name, label in zip(self.names, self.labels.tolist(), strict=True):
            digest.update(repr((name, (self.root / name).stat().st_size, label)).encode())
        return digest.hexdigest()

    def check(self) -> None:
        """Check that no file is empty or forbidden to read; none is opened.

        Raises:
            UserError: for the first file that is.
        """
        for path in (self.root / name for name in self.names):
            try:
                empty = path.stat().st_size == 0
            except OSError as gone:  # a link that leads nowhere
                raise unreadable(path, gone) from gone
            if empty or not os.access(path, os.R_OK):
                raise unreadable(path, "it is empty" if empty else "permission denied")

    def readable(self, threads: int) -> FileSplit:
        """Return the images that can be read, and log a warning about the others.

        Args:
            threads: how many threads decode, each image once.

        Returns:
            The split without files that cannot be decoded.
        """
        log.info("Reading %s images once, to leave out those that cannot be read", f"{len(self):,}")
        errors = self._each(
            lambda i: self._decode(i, np.empty(self.image_shape, np.uint8)), threads
        )
        good = torch.tensor([error is None for error in errors])
        if not good.all():
            bad = [repr(self.names[i]) for i in (~good).nonzero().squeeze(1).tolist()]
            first = ", ".join(bad[:3]) + (", ..." if len(bad) > 3 else "")
            log.warning(
                "%d of the images in '%s' left out, as not readable: %s", len(bad), self.root, first
            )
        return self.take(good.nonzero().squeeze(1))

    def in_memory(self, threads: int) -> TensorSplit:
        """Return the same images in memory, decoded once.

        Args:
            threads: how many threads decode.

        Returns:
            The images as bytes.

        Raises:
            UserError: if memory does not suffice, or a file cannot be decoded.
        """
        size, free = len(self) * math.prod(self.image_shape), free_memory()
        if size > free:
            raise UserError(
                f"{len(self):,} images of {' x '.join(map(str, self.image_shape))} need "
                f"{size / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free. "
                f" Set data.in_memory=false, or make data.size smaller."
            )
        log.info("Decoding %s images into %.1f GB of memory", f"{len(self):,}", size / 1e9)
        pixels = torch.empty(len(self), *self.image_shape, dtype=torch.uint8)
        slots = pixels.numpy()
        for error in self._each(lambda i: self._decode(i, slots[i]), threads):
            if error is not None:
                raise error
        return TensorSplit(pixels, self.labels)

    def _decode(self, i: int, into: npt.NDArray[np.uint8]) -> None:
        self.picture.decode(self.root / self.names[i], into)

    def _each(self, read: Callable[[int], None], threads: int) -> Iterator[UserError | None]:
        """The error of each image, or None; in threads, as Pillow decodes without the GIL."""

        def attempt(i: int) -> UserError | None:
            try:
                read(i)
            except UserError as error:
                return error
            return None

        with ThreadPoolExecutor(max(1, threads)) as pool:
            yield from pool.map(attempt, range(len(self)))


def free_memory() -> float:
    """Return the bytes that can be allocated without swapping; infinity where it is unknown."""
    try:
        available = Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()
        return int(available[0]) * 1024
    except (OSError, IndexError):
        return float("inf")
