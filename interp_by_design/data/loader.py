"""Loaders: a split, an order and worker processes make a stream of batches. Knows nothing of where images come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast, final

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from interp_by_design.data.augmentation import Augmentation
from interp_by_design.data.buffer_pool import BufferPool
from interp_by_design.data.order import Order, Pick, Purpose, generator
from interp_by_design.data.split import Split, unit
from interp_by_design.terms import Batch, UserError

AHEAD = 2  # batches that each worker reads ahead


@final
class Batches(Dataset[Batch | UserError]):
    """A split that is asked for whole batches: one indexed read a batch, not one Python call an image."""

    def __init__(
        self, split: Split, augmentation: Augmentation | None = None, seed: int = 0
    ) -> None:
        self.split, self.augmentation, self.seed = split, augmentation, seed
        self.trays: Tensor | None = None

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, pick: Pick) -> Batch | UserError:
        """Images as the split keeps them, bytes if it can be; none at all where they lie in a tray.

        An error is handed on, not raised: torch would bury what a worker raises in its traceback.
        """
        try:
            pixels = self.split.pixels(pick.indices)
        except UserError as error:
            return error
        if self.augmentation is not None:
            bytes_do = getattr(self.augmentation, "moves_pixels", False)
            draws = generator(Purpose.AUGMENT, self.seed, pick.epoch, pick.batch)
            pixels = self.augmentation(pixels if bytes_do else unit(pixels), draws)
        if self.trays is not None and pixels.dtype == torch.uint8:
            self.tray(pick.place, len(pick.indices)).copy_(pixels)
            pixels = pixels.new_empty(0)
        return Batch(pixels, self.split.labels.index_select(0, pick.indices), pick.indices)

    def lay_out(self, trays: int, batch_size: int) -> None:
        """Makes trays: memory in which workers leave bytes, and which is used again, as fresh memory takes long to map."""
        shape = (trays, min(batch_size, len(self)), *self.split.image_shape)
        self.trays = torch.empty(shape, dtype=torch.uint8).share_memory_()  # type: ignore[no-untyped-call]  # torch's

    def tray(self, place: int, n: int) -> Tensor:
        """Where the `n` images of batch `place` lie until as many batches as there are trays have followed."""
        trays = cast("Tensor", self.trays)
        return trays[place % len(trays), :n]


@final
class Loader(DataLoader[Any]):
    """Batches with images float32 in [0, 1], read by `num_workers` processes, or by this one if there are none.

    Its state says how many batches of the epoch it has handed out, whatever workers have read ahead. Lightning saves it with each
    checkpoint and loads it again, and the next pass goes on from there, without reading what it skips.
    """

    def __init__(self, dataset: Batches, sampler: Order, num_workers: int = 0) -> None:
        super().__init__(
            dataset,
            batch_size=None,  # the sampler already asks for whole batches, and there is nothing left to collate
            sampler=sampler,
            collate_fn=_as_it_is,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            prefetch_factor=AHEAD if num_workers else None,
            generator=torch.Generator(),  # without one, each pass draws from the global generator
        )
        self.batches, self.order, self._memory = dataset, sampler, BufferPool()

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]  # nobody asks for torch's iterator itself
        # A generator, so that nothing is read before the first `next`: Lightning calls `iter`, then sets the epoch.
        for batch in self.as_kept():
            yield batch._replace(images=unit(batch.images, self._memory.empty))

    def as_kept(self) -> Iterator[Batch]:
        """The same batches with images as the split keeps them, perhaps bytes; to be used before the next one is asked for."""
        for batch in self._begin():
            if isinstance(batch, UserError):
                self._iterator = None  # workers go at once; among garbage, they would take seconds
                raise batch
            pixels = (
                batch.images
                if len(batch.images)
                else self.batches.tray(self.order.given, len(batch.labels))
            )
            self.order.given += 1
            yield batch._replace(images=pixels)

    def _begin(self) -> Iterator[Batch | UserError]:
        if self.num_workers and self.batches.trays is None:
            # One for each batch that is read ahead, and one for that which is unpacked here.
            self.batches.lay_out(AHEAD * self.num_workers + 1, self.order.batch_size)
        batches = super().__iter__()
        self.order.given, self.order.first = self.order.first, 0
        return batches

    def state_dict(self) -> dict[str, Any]:
        """Epoch and batch that come next, and what the order depends on besides."""
        return self.order.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError where a pass cannot go on in the middle, as images, batch size, seed or ranks are others."""
        self.order.load_state_dict(state)


def _as_it_is(batch: Any) -> Any:
    return batch
