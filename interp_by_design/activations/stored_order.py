"""Orders in which rows are stored, and in which training visits stored rows."""

from __future__ import annotations

from typing import final

import torch

from interp_by_design.data.order import Order, Purpose, generator
from interp_by_design.terms import Indices

N_MIXED_SHARDS = 4  # shards whose rows are shuffled together: 256 MiB with the usual shards


@final
class Storing(Order):
    """Order in which rows are stored: each image once, as in the split or in a fixed permutation.

    Training mixes the rows of a few shards at a time. Without a permutation, a split that is sorted
    by class would give batches of few classes; with it, every shard is a fair sample of the split.

    Args:
        n: The number of rows.
        chunk: The rows per batch.
        permuted: Whether rows are permuted. The permutation depends on `n` alone.
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
    """Order of training on stored rows: shards in a new order each epoch, rows shuffled in groups.

    The rows of `N_MIXED_SHARDS` shards are shuffled together, so that a disk is read in long pieces
    and memory holds a few shards. Batches are of one size: the rest is dropped, but never the only
    batch. The rows of a batch ascend, as reading is then faster and a batch has no order.

    Args:
        n: The number of rows.
        batch_size: The rows per batch.
        seed: The seed of the order.
        rows_per_shard: The rows of a shard; the last shard may have fewer.
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
        order = torch.split(torch.randperm(len(shards), generator=draws), N_MIXED_SHARDS)
        groups = (torch.cat([shards[number] for number in group.tolist()]) for group in order)
        return torch.cat([group[torch.randperm(len(group), generator=draws)] for group in groups])
