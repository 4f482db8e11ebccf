"""Loader of batches of cached activations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, final

import torch
from torch import Tensor

from interp_by_design.activations.recording import hidden
from interp_by_design.activations.shard_store import Store
from interp_by_design.data.buffer_pool import BufferPool
from interp_by_design.data.order import Order
from interp_by_design.data.split import unit
from interp_by_design.terms import Batch, BatchWithActivations, ForwardPass, Indices

N_SHARDS_AHEAD = 4  # shards that the system is asked to read before they are needed

Part = tuple[dict[str, Tensor], Tensor]  # the fields of a shard, and rows in it


@final
class CachedLoader:
    """Loader of `BatchWithActivations` from a store.

    Images are float32 in [0, 1]; hidden layers keep the dtype in which they are stored. Like
    `data.loader.Loader` it has `sampler.set_epoch`, and a state from which an epoch resumes.

    Args:
        store: The cached rows of one split.
        order: The order in which batches are drawn.
    """

    def __init__(self, store: Store, order: Order) -> None:
        self.store, self.order, self.sampler = store, order, order
        self.batch_sampler = None  # Lightning reads it wherever there is a sampler
        self._memory = {field.name: BufferPool() for field in store.layout.fields}
        self._floats = BufferPool()

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[BatchWithActivations]:
        # A generator reads nothing before the first `next`: Lightning calls `iter`, and sets the
        # epoch afterwards.
        for rows in self.as_kept():
            yield self._seen(rows)

    def as_kept(self) -> Iterator[dict[str, Tensor]]:
        """Yield the batches as stored fields by name; images may be bytes."""
        batches = [pick.indices for pick in self.order]
        self.order.given, self.order.first = self.order.first, 0
        window = _Window(self.store, batches)
        for number, rows in enumerate(batches):
            read = self._read(window.parts(number, rows), len(rows))
            window.drop(number)
            self.order.given += 1
            yield read

    def state_dict(self) -> dict[str, Any]:
        """Return the next epoch and batch, and what else the order depends on."""
        return self.order.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state.

        Args:
            state: What `state_dict` returned.

        Raises:
            UserError: If the epoch cannot be resumed, as the order differs.
        """
        self.order.load_state_dict(state)

    def _read(self, parts: Sequence[Part], n: int) -> dict[str, Tensor]:
        """Copy the rows of a batch from the shards into reused memory."""
        read = {
            field.name: self._memory[field.name].empty(
                torch.Size([n, *field.shape]), field.torch_dtype
            )
            for field in self.store.layout.fields
        }
        start = 0
        for views, rows in parts:
            for name, into in read.items():
                torch.index_select(views[name], 0, rows, out=into[start : start + len(rows)])
            start += len(rows)
        return read

    def _seen(self, read: dict[str, Tensor]) -> BatchWithActivations:
        layers = len(read) - 4  # behind images, labels, indices and logits
        images = unit(read["images"], self._floats.empty)
        seen = ForwardPass(read["logits"], tuple(read[hidden(i)] for i in range(layers)))
        return BatchWithActivations(Batch(images, read["labels"], read["indices"]), seen)


@final
class _Window:
    """The shards that are open: each from its first batch to its last."""

    def __init__(self, store: Store, batches: Sequence[Tensor]) -> None:
        self.store, self.rows_per_shard = store, store.layout.rows_per_shard
        self.open: dict[int, dict[str, Tensor]] = {}
        lengths = torch.tensor([len(batch) for batch in batches])
        shards = torch.cat([*batches, torch.empty(0, dtype=torch.int64)]) // self.rows_per_shard
        number = torch.arange(len(batches)).repeat_interleave(lengths)
        first = torch.full((store.layout.n_shards,), len(batches)).scatter_reduce_(
            0, shards, number, "amin"
        )
        self.last = (
            torch.full((store.layout.n_shards,), -1)
            .scatter_reduce_(0, shards, number, "amax")
            .tolist()
        )
        used = [shard for shard in first.argsort(stable=True).tolist() if self.last[shard] >= 0]
        # `N_SHARDS_AHEAD` shards are requested at the start, and one more whenever one is opened.
        self.coming = iter(used)
        self._ask(N_SHARDS_AHEAD)

    def parts(self, number: int, rows: Indices) -> list[Part]:
        """Return the fields of each shard that a batch draws from, and its rows; `rows` ascend."""
        shards, counts = torch.unique_consecutive(rows // self.rows_per_shard, return_counts=True)
        shares = torch.split(rows, counts.tolist())
        return [
            (self._fields(shard), share - shard * self.rows_per_shard)
            for shard, share in zip(shards.tolist(), shares, strict=True)
        ]

    def drop(self, number: int) -> None:
        """Close the shards that no batch after `number` needs."""
        self.open = {
            shard: fields for shard, fields in self.open.items() if self.last[shard] > number
        }

    def _fields(self, shard: int) -> dict[str, Tensor]:
        if shard not in self.open:
            self.open[shard] = self.store.layout.views(self.store.shard(shard), shard)
            self._ask(1)
        return self.open[shard]

    def _ask(self, count: int) -> None:
        for shard in islice(self.coming, count):
            self.store.will_need(shard)
