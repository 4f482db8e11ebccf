"""Orders in which rows are stored, and visited in training."""

from __future__ import annotations

from typing import final

import torch

from interp_by_design.data.order import Order, Purpose, generator
from interp_by_design.terms import Indices

GROUP = 4  # shards whose rows are mixed: with the usual shards of 64 MiB, a quarter of a gigabyte


@final
class Storing(Order):
    """Each image once, in its own order or in one fixed permutation.

    Training mixes the rows of a few shards at a time. Of a split that is sorted by class, batches
    would then have few classes; after a permutation every shard is a fair sample, and so is every
    batch.

    Args:
        n: Number of rows.
        chunk: Rows of a batch.
        permuted: Whether rows are permuted.
    """

    def __init__(self, n: int, chunk: int, permuted: bool) -> None:
        super().__init__(n, chunk, sharded=False)
        self.permuted = permuted

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def batches(self) -> tuple[Indices, ...]:
        rows = (
            torch.randperm(self.n, generator=generator(Purpose.STORE))
            if self.permuted
            else torch.arange(self.n)
        )
        return torch.split(rows, self.batch_size)


@final
class Grouped(Order):
    """Shards in a new order each epoch, the rows of `GROUP` of them shuffled together.

    A disk is read in long pieces, and memory holds a few shards. Batches have one size: the rest is
    dropped, but never the only batch. The rows of a batch ascend: what is learned from a batch does
    not depend on their order.

    Args:
        n: Number of rows.
        batch_size: Rows of a batch.
        seed: Of the order.
        rows_per_shard: Rows of a full shard.
    """

    def __init__(self, n: int, batch_size: int, seed: int, rows_per_shard: int) -> None:
        super().__init__(n, batch_size, seed)
        self.rows_per_shard = rows_per_shard

    def __len__(self) -> int:
        return max(1, self.n // self.num_replicas // self.batch_size)

    def batches(self) -> tuple[Indices, ...]:
        share = self._everyone()[self.rank :: self.num_replicas][: self.n // self.num_replicas]
        return tuple(
            batch.sort().values for batch in torch.split(share, self.batch_size)[: len(self)]
        )

    def key(self) -> dict[str, int]:
        return super().key() | {"rows_per_shard": self.rows_per_shard}

    def _everyone(self) -> Indices:
        draws = generator(Purpose.ORDER, self.seed, self.epoch)
        shards = torch.split(torch.arange(self.n), self.rows_per_shard)
        order = torch.split(torch.randperm(len(shards), generator=draws), GROUP)
        groups = (torch.cat([shards[number] for number in group.tolist()]) for group in order)
        return torch.cat([group[torch.randperm(len(group), generator=draws)] for group in groups])
