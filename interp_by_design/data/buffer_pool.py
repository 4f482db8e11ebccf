"""Memory that is used again. Knows nothing of what is kept in it."""

from __future__ import annotations

import weakref
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Bytes = npt.NDArray[np.uint8]


@final
class BufferPool:
    """Hands out uninitialised tensors, in the memory of earlier ones that nobody holds any more.

    A large batch in fresh memory takes the system far longer to map, page by page, than it takes to fill.
    """

    KEPT = 3  # the batch that is being made, the one in use, and one that somebody still holds

    def __init__(self) -> None:
        self._blocks: list[tuple[Bytes, weakref.ref[Bytes]]] = []

    def empty(self, shape: torch.Size, dtype: torch.dtype = torch.float32) -> Tensor:
        """A tensor of `shape`; its memory stays its own as long as it, or a view of it, is held."""
        size = shape.numel() * dtype.itemsize
        free = [memory for memory, user in self._blocks if user() is None and memory.size >= size]
        memory = free[0] if free else np.empty(size, np.uint8)
        view = memory[
            :size
        ]  # what the tensor holds on to: it lives as long as the tensor's storage does
        others = [block for block in self._blocks if block[0] is not memory]
        self._blocks = [*others, (memory, weakref.ref(view))][-self.KEPT :]
        return torch.from_numpy(view).view(dtype).view(shape)
