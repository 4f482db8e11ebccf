"""The order in which a split is visited, and the random draws that go with it. Knows nothing of images.

Every draw is a pure function of its key, (seed, epoch, ...): an epoch can be repeated alone, and a resumed run continues as an
unbroken one would have.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, NamedTuple, cast, final

import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import Dataset, DistributedSampler, Sampler

from interp_by_design.terms import Indices


class Purpose(enum.IntEnum):
    """What a draw is for: the first word of its key, so that no two purposes share a stream."""

    CUT = 1
    ORDER = 2
    AUGMENT = 3
    RECORD = 4


def generator(purpose: Purpose, *key: int) -> torch.Generator:
    """A CPU generator whose stream is a pure function of `purpose` and `key`, integers >= 0; near keys give unrelated streams."""
    state = np.random.SeedSequence((purpose, *key)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


class Pick(NamedTuple):
    """What a loader asks a split for: the indices of one batch [n], and which batch of which epoch it is."""

    indices: Indices
    epoch: int
    batch: int


@final
class InOrder(Sampler[Pick]):
    """Batches 0 .. n-1 as they lie, the last one perhaps smaller. Under DDP Lightning deals the batches out to the ranks."""

    def __init__(self, n: int, batch_size: int) -> None:
        self.n, self.batch_size = n, batch_size

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __iter__(self) -> Iterator[Pick]:
        for batch, indices in enumerate(torch.split(torch.arange(self.n), self.batch_size)):
            yield Pick(indices, 0, batch)


@final
class Shuffled(DistributedSampler[Pick]):
    """A new permutation of 0 .. n-1 each epoch, in batches of one size: what is left over is dropped, but never the only batch.

    A DistributedSampler, because Lightning leaves one in its place and calls its `set_epoch`; each rank visits its own share.
    """

    def __init__(self, n: int, batch_size: int, seed: int) -> None:
        parallel = dist.is_available() and dist.is_initialized()
        ranks, rank = (dist.get_world_size(), dist.get_rank()) if parallel else (1, 0)
        super().__init__(cast("Dataset[Any]", range(n)), num_replicas=ranks, rank=rank, seed=seed)
        self.n, self.batch_size = n, batch_size

    def __len__(self) -> int:
        return max(1, self.n // self.num_replicas // self.batch_size)

    def __iter__(self) -> Iterator[Pick]:
        everyone = torch.randperm(self.n, generator=generator(Purpose.ORDER, self.seed, self.epoch))
        share = everyone[self.rank :: self.num_replicas][: self.n // self.num_replicas]
        for batch, indices in enumerate(torch.split(share, self.batch_size)[: len(self)]):
            yield Pick(indices, self.epoch, batch * self.num_replicas + self.rank)
