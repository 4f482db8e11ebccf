"""The order in which a split is visited, and the random draws that go with it. Knows nothing of images.

Every draw is a pure function of its key, (seed, epoch, ...): an epoch can be repeated alone, and a resumed run continues as an
unbroken one would have.
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
    """What a draw is for: the first word of its key, so that no two purposes share a stream."""

    CUT = 1
    ORDER = 2
    AUGMENT = 3
    SCENE = 4
    STORE = 5


def generator(purpose: Purpose, *key: int) -> torch.Generator:
    """A CPU generator whose stream is a pure function of `purpose` and `key`, integers >= 0; near keys give unrelated streams."""
    state = np.random.SeedSequence((purpose, *key)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


class Pick(NamedTuple):
    """What a loader asks a split for: the indices of one batch [n], and which batch of which epoch it is, all ranks counted.

    place: which batch of this rank it is.
    """

    indices: Indices
    epoch: int
    batch: int
    place: int


class Order(DistributedSampler[Pick], ABC):
    """Which images make which batch of an epoch; every rank has its own images, and as many batches as the others.

    A DistributedSampler, because Lightning leaves one in its place and calls its `set_epoch`.

    dealt: whether the ranks share the images out among them; else each of them visits all.
    """

    def __init__(self, n: int, batch_size: int, seed: int = 0, dealt: bool = True) -> None:
        parallel = dealt and dist.is_available() and dist.is_initialized()
        ranks, rank = (dist.get_world_size(), dist.get_rank()) if parallel else (1, 0)
        if n < ranks:
            raise UserError(
                f"{n} images cannot be dealt out to {ranks} processes. Use more images, or trainer.devices={n}."
            )
        super().__init__(cast("Dataset[Any]", range(n)), num_replicas=ranks, rank=rank, seed=seed)
        self.n, self.batch_size = n, batch_size
        self.first = self.given = (
            0  # where the next pass begins, and how many batches of the epoch the trainer has had
        )

    @abstractmethod
    def batches(self) -> tuple[Indices, ...]:
        """The indices of each batch of this epoch on this rank: `len(self)` of them, none empty."""

    @final
    def __iter__(self) -> Iterator[Pick]:
        picks = [
            Pick(indices, self.epoch, i * self.num_replicas + self.rank, i)
            for i, indices in enumerate(self.batches())
        ]
        return iter(picks[self.first :])

    @final
    def start_at(self, epoch: int, batch: int) -> None:
        """Lets the next pass begin at `batch` of `epoch`; `set_epoch` to another one lets it begin at the start again."""
        self.epoch, self.first, self.given = epoch, batch, batch

    @final
    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.start_at(epoch, 0)

    @final
    def state_dict(self) -> dict[str, Any]:
        """Epoch and batch that come next, and what the order depends on besides."""
        over = self.given == len(self)
        return {"epoch": self.epoch + over, "batch": 0 if over else self.given, "order": self.key()}

    @final
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError where a pass cannot go on in the middle, as images, batch size, seed or ranks are others."""
        if state["batch"] and state["order"] != self.key():
            raise UserError(
                f"The checkpoint stopped within an epoch of {state['order']}, and the data now are {self.key()}. "
                "Resume with the same data and options, or from the end of an epoch."
            )
        self.start_at(state["epoch"], state["batch"])

    def key(self) -> dict[str, int]:
        """All that an epoch's batches depend on, but for the epoch and the rank."""
        return {
            "images": self.n,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "ranks": self.num_replicas,
        }


@final
class InOrder(Order):
    """Images 0 .. n-1 as they lie, the last batch perhaps smaller."""

    def __len__(self) -> int:
        return -(-self.n // (self.num_replicas * self.batch_size))

    def batches(self) -> tuple[Indices, ...]:
        share, count = torch.arange(self.n)[self.rank :: self.num_replicas], len(self)
        # The last batches share what is left: a rank with an image less than another has no batch less.
        return share.tensor_split(
            [min(i * self.batch_size, len(share) - (count - i)) for i in range(1, count)]
        )


@final
class Shuffled(Order):
    """A new permutation of 0 .. n-1 each epoch, in batches of one size: the rest is dropped, but never the only batch."""

    def __len__(self) -> int:
        return max(1, self.n // self.num_replicas // self.batch_size)

    def batches(self) -> tuple[Indices, ...]:
        everyone = torch.randperm(self.n, generator=generator(Purpose.ORDER, self.seed, self.epoch))
        share = everyone[self.rank :: self.num_replicas][: self.n // self.num_replicas]
        return torch.split(share, self.batch_size)[: len(self)]
