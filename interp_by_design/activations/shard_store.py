"""Store of the shards of one split, in memory or in a folder."""

from __future__ import annotations

import mmap
import os
from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

from interp_by_design.activations.cache_folder import CacheFolder
from interp_by_design.activations.shard_layout import Layout
from interp_by_design.terms import UserError


class Store(ABC):
    """Shards that are written one after another, and read in any order.

    Args:
        layout: The layout of the rows.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @property
    @abstractmethod
    def written(self) -> int:
        """The number of shards that are written, from the first."""

    @abstractmethod
    def blank(self, shard: int) -> Tensor:
        """Return memory, uint8, to record a shard in.

        It is requested once the shard before the last is stored.

        Args:
            shard: The number of the shard, from 0.
        """

    @abstractmethod
    def put(self, shard: int, memory: Tensor) -> None:
        """Store the next shard.

        Args:
            shard: Its number, from 0.
            memory: Its bytes, uint8.
        """

    @abstractmethod
    def shard(self, shard: int) -> Tensor:
        """Return the bytes of a shard, for reading only.

        Args:
            shard: Its number, from 0.
        """

    @abstractmethod
    def will_need(self, shard: int) -> None:
        """Announce that a shard will be read soon.

        Args:
            shard: Its number, from 0.
        """


@final
class MemoryStore(Store):
    """Store in the memory of this process.

    Args:
        layout: The layout of the rows.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._shards: list[Tensor] = []

    @property
    def written(self) -> int:
        return len(self._shards)

    def blank(self, shard: int) -> Tensor:
        return torch.zeros(self.layout.shard_bytes(shard), dtype=torch.uint8)

    def put(self, shard: int, memory: Tensor) -> None:
        self._shards.append(memory)

    def shard(self, shard: int) -> Tensor:
        return self._shards[shard]

    def will_need(self, shard: int) -> None:
        pass


@final
class DiskStore(Store):
    """Store in the files of a folder, memory-mapped, so that the system reclaims unused pages.

    Args:
        layout: The layout of the rows.
        folder: The folder of the cache.
    """

    def __init__(self, layout: Layout, folder: CacheFolder) -> None:
        super().__init__(layout)
        self.folder = folder
        self._blanks: list[Tensor] = []

    @property
    def written(self) -> int:
        return len(self.folder.checksums)

    def blank(self, shard: int) -> Tensor:
        if not self._blanks:
            self._blanks = [
                torch.empty(self.layout.shard_bytes(0), dtype=torch.uint8) for _ in range(2)
            ]
        return self._blanks[shard % 2][: self.layout.shard_bytes(shard)].zero_()

    def put(self, shard: int, memory: Tensor) -> None:
        """Write the shard; raises `UserError` if it cannot be written."""
        self.folder.add(shard, memory.numpy().data)
        if shard + 1 == self.layout.n_shards:
            self._blanks = []

    def shard(self, shard: int) -> Tensor:
        path = self.folder.shard(shard)
        try:
            with path.open("rb") as file:
                # A private mapping: torch warns of memory that it cannot write to. Nothing writes,
                # so nothing is copied.
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:  # ValueError: it is empty
            raise UserError(
                f"{path} cannot be read any more: {error}. Start again; it is recorded again if "
                "necessary."
            ) from error
        return torch.frombuffer(mapped, dtype=torch.uint8)

    def will_need(self, shard: int) -> None:
        """Let the system read the file in the background."""
        if hasattr(os, "posix_fadvise"):
            try:
                with self.folder.shard(shard).open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
            except OSError:  # reported when the shard is read
                pass
