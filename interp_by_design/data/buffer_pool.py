"""Pool of reusable tensor memory."""

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
    """Uninitialised tensors in the memory of earlier ones that nothing references any more.

    The system takes far longer to map the pages of a large fresh batch than to fill them.
    """

    MAX_BLOCKS = 3  # a batch in the making, one in use, and one still referenced elsewhere

    def __init__(self) -> None:
        self._blocks: list[tuple[Bytes, weakref.ref[Bytes]]] = []

    def empty(self, shape: torch.Size, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return an uninitialised tensor.

        Args:
            shape: the tensor's shape.
            dtype: the tensor's type.

        Returns:
            A tensor whose memory is not reused while it, or a view of it, is referenced.
        """
        size = shape.numel() * dtype.itemsize
        free = [memory for memory, user in self._blocks if user() is None and memory.size >= size]
        memory = free[0] if free else np.empty(size, np.uint8)
        view = memory[:size]  # lives exactly as long as the tensor's storage
        others = [block for block in self._blocks if block[0] is not memory]
        self._blocks = [*others, (memory, weakref.ref(view))][-self.MAX_BLOCKS :]
        return torch.from_numpy(view).view(dtype).view(shape)
