"""Where the shards of one split are kept: in this process's memory, or in a folder. Knows nothing of what is in them."""

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
    """Shards that are written one after another, and read in any order."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @property
    @abstractmethod
    def written(self) -> int:
        """How many shards there are, from the first."""

    @abstractmethod
    def blank(self, shard: int) -> Tensor:
        """Memory, as bytes, to make a shard in; it is asked for once the shard before the last is put."""

    @abstractmethod
    def put(self, shard: int, memory: Tensor) -> None:
        """Keeps the next shard."""

    @abstractmethod
    def shard(self, shard: int) -> Tensor:
        """A shard's bytes, to read only."""

    @abstractmethod
    def will_need(self, shard: int) -> None:
        """A hint that this shard is read soon."""


@final
class MemoryStore(Store):
    """Shards in this process's memory."""

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
    """Shards in the files of a folder, which are mapped when read: what is not used any more, the system takes back."""

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
        """Raises UserError where it cannot be written."""
        self.folder.add(shard, memory.numpy().data)
        if shard + 1 == self.layout.n_shards:
            self._blanks = []

    def shard(self, shard: int) -> Tensor:
        path = self.folder.shard(shard)
        try:
            with path.open("rb") as file:
                # A private mapping, as torch warns of memory that may not be written; nobody writes, so nothing is copied.
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:  # ValueError: it is empty
            raise UserError(
                f"{path} cannot be read any more: {error}. Start again; it is recorded anew if need be."
            ) from error
        return torch.frombuffer(mapped, dtype=torch.uint8)

    def will_need(self, shard: int) -> None:
        """Lets the system read the file meanwhile, from its beginning to its end."""
        if hasattr(os, "posix_fadvise"):
            try:
                with self.folder.shard(shard).open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
            except OSError:  # told when it is read
                pass
