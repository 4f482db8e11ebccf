"""Order in which a split is visited, and its random draws.

Every draw is a pure function of its key, (seed, epoch, ...): an epoch can be repeated alone, and a
resumed run continues like an uninterrupted one.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple, cast, final

import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import Dataset, DistributedSampler

from interp_by_design.terms import Indices, UserError


class Purpose(enum.IntEnum):
    """The purpose of a draw, the first entry of its key: no two purposes share a random stream."""

    CUT = 1
    ORDER = 2
    AUGMENT = 3
    SCENE = 4
    STORE = 5


def generator(purpose: Purpose, *key: int) -> torch.Generator:
    """Return a random generator that is a pure function of its key.

    Args:
        purpose: what the draws are for.
        key: whole numbers >= 0, such as seed and epoch; near keys give unrelated streams.

    Returns:
        A generator on the CPU.
    """
    state = np.random.SeedSequence((purpose, *key)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


class BatchRequest(NamedTuple):
    """A loader's request for one batch.

    Args:
        indices: [n], the images.
        epoch: the epoch.
        batch: the number of the batch in its epoch, over all ranks.
        place: the number of the batch in its epoch, on this rank.
    """

    indices: Indices
    epoch: int
    batch: int
    place: int


class Order(DistributedSampler[BatchRequest], ABC):
    """The images of each batch of an epoch; every rank has equally many batches.

    A DistributedSampler, because Lightning keeps one and calls its `set_epoch`.

    Args:
        n: the number of images.
        batch_size: images of a batch on each rank.
        seed: of the order.
        sharded: whether each rank visits its own share of the images; else each visits all.

    Raises:
        UserError: if there are fewer images than ranks.
    """

    def __init__(self, n: int, batch_size: int, seed: int = 0, sharded: bool = True) -> None:
        parallel = sharded and dist.is_available() and dist.is_initialized()
        ranks, rank = (dist.get_world_size(), dist.get_rank()) if parallel else (1, 0)
        if n < ranks:
            raise UserError(
                f"{n} images cannot be shared among {ranks} processes. "
                f"Use more images, or trainer.devices={n}."
            )
        super().__init__(cast("Dataset[Any]", range(n)), num_replicas=ranks, rank=rank, seed=seed)
        self.n, self.batch_size = n, batch_size
        self.first = 0  # the batch that the next pass begins with
        self.given = 0  # batches of the epoch that the trainer has received

    @abstractmethod
    def batches(self) -> tuple[Indices, ...]:
        """Return the indices of each batch of this epoch on this rank: `len(self)`, none empty."""

    @final
    def __iter__(self) -> Iterator[BatchRequest]:
        requests = [
            BatchRequest(indices, self.epoch, i * self.num_replicas + self.rank, i)
            for i, indices in enumerate(self.batches())
        ]
        return iter(requests[self.first :])

    @final
    def start_at(self, epoch: int, batch: int) -> None:
        """Let the next pass begin in the middle of an epoch; `set_epoch` to another one resets it.

        Args:
            epoch: the epoch.
            batch: its first batch, on this rank.
        """
        self.epoch, self.first, self.given = epoch, batch, batch

    @final
    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.start_at(epoch, 0)

    @final
    def state_dict(self) -> dict[str, Any]:
        """Return the next epoch and batch, and everything else that the order depends on."""
        over = self.given == len(self)
        return {"epoch": self.epoch + over, "batch": 0 if over else self.given, "order": self.key()}

    @final
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state.

        Args:
            state: from `state_dict`.

        Raises:
            UserError: if it stopped within an epoch of other images, batch size, seed or ranks.
        """
        if state["batch"] and state["order"] != self.key():
            raise UserError(
                f"The checkpoint stopped within an epoch of {state['order']}, and the data "
                f"now are {self.key()}. "
                "Resume with the same data and options, or from the end of an epoch."
            )
        self.start_at(state["epoch"], state["batch"])

    def key(self) -> dict[str, int]:
        """Return what an epoch's batches depend on, except the epoch and the rank."""
        return {
            "images": self.n,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "ranks": self.num_replicas,
        }


@final
class InOrder(Order):
    """Images 0 .. n-1 in order; the last batch may be smaller.

    Args:
        n: the number of images.
        batch_size: images of a batch on each rank.
        seed: not used.
        sharded: whether each rank visits its own share of the images; else each visits all.
    """

    def __len__(self) -> int:
        return -(-self.n // (self.num_replicas * self.batch_size))

    def batches(self) -> tuple[Indices, ...]:
        share, count = torch.arange(self.n)[self.rank :: self.num_replicas], len(self)
        # The last batches share the remainder: a rank with one image less has no batch less.
        return share.tensor_split(
            [min(i * self.batch_size, len(share) - (count - i)) for i in range(1, count)]
        )


@final
class Shuffled(Order):
    """A new permutation of 0 .. n-1 each epoch, in batches of one size.

    The remainder is dropped, except where it is the only batch.

    Args:
        n: the number of images.
        batch_size: images of a batch on each rank.
        seed: of the permutations.
        sharded: whether each rank visits its own share of the images; else each visits all.
    """

    def __len__(self) -> int:
        return max(1, self.n // self.num_replicas // self.batch_size)

    def batches(self) -> tuple[Indices, ...]:
        everyone = torch.randperm(self.n, generator=generator(Purpose.ORDER, self.seed, self.epoch))
        share = everyone[self.rank :: self.num_replicas][: self.n // self.num_replicas]
        return torch.split(share, self.batch_size)[: len(self)]
