"""Loaders: batches of a split, in an order, read by worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast, final

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from interp_by_design.data.augmentation import Augmentation
from interp_by_design.data.buffer_pool import BufferPool
from interp_by_design.data.order import BatchRequest, Order, Purpose, generator
from interp_by_design.data.split import Split, unit
from interp_by_design.terms import Batch, UserError

N_PREFETCHED = 2  # batches that each worker reads ahead


@final
class Batches(Dataset[Batch | UserError]):
    """A split that is read a batch at a time: one indexed read per batch, not one call per image.

    Args:
        split: the images.
        augmentation: applied to each batch; None for none.
        seed: with epoch and batch, it determines the augmentation.
    """

    def __init__(
        self, split: Split, augmentation: Augmentation | None = None, seed: int = 0
    ) -> None:
        self.split, self.augmentation, self.seed = split, augmentation, seed
        self.buffers: Tensor | None = None

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, request: BatchRequest) -> Batch | UserError:
        """Images as stored, bytes if possible; none where they are in a shared buffer.

        An error is returned, not raised: torch would bury a worker's exception in a traceback.
        """
        try:
            pixels = self.split.pixels(request.indices)
        except UserError as error:
            return error
        if self.augmentation is not None:
            bytes_do = getattr(self.augmentation, "moves_pixels", False)
            draws = generator(Purpose.AUGMENT, self.seed, request.epoch, request.batch)
            pixels = self.augmentation(pixels if bytes_do else unit(pixels), draws)
        if self.buffers is not None and pixels.dtype == torch.uint8:
            self.buffer(request.place, len(request.indices)).copy_(pixels)
            pixels = pixels.new_empty(0)
        return Batch(pixels, self.split.labels.index_select(0, request.indices), request.indices)

    def allocate_buffers(self, buffers: int, batch_size: int) -> None:
        """Allocate shared memory in which workers leave bytes.

        It is reused, since mapping fresh memory is slow.

        Args:
            buffers: how many batches it holds.
            batch_size: images of a batch.
        """
        shape = (buffers, min(batch_size, len(self)), *self.split.image_shape)
        memory = torch.empty(shape, dtype=torch.uint8)
        self.buffers = memory.share_memory_()  # type: ignore[no-untyped-call]  # torch's

    def buffer(self, place: int, n: int) -> Tensor:
        """Return the shared memory of a batch; it is reused once every other buffer was.

        Args:
            place: the number of the batch in its epoch, on this rank.
            n: its number of images.

        Returns:
            Bytes [n, c, h, w].
        """
        buffers = cast("Tensor", self.buffers)
        return buffers[place % len(buffers), :n]


@final
class Loader(DataLoader[Any]):
    """Batches with images float32 in [0, 1].

    Its state counts the batches of the epoch that it has yielded, not those that workers have read
    ahead. Lightning saves it with each checkpoint; the next pass resumes from there, without
    reading the batches before.

    Args:
        dataset: the split to read.
        sampler: the order of its images.
        num_workers: reading processes; 0 reads in this process.
    """

    def __init__(self, dataset: Batches, sampler: Order, num_workers: int = 0) -> None:
        super().__init__(
            dataset,
            batch_size=None,  # the sampler requests whole batches: nothing is left to collate
            sampler=sampler,
            collate_fn=_identity,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            prefetch_factor=N_PREFETCHED if num_workers else None,
            generator=torch.Generator(),  # without one, each pass draws from the global generator
        )
        self.batches, self.order, self._memory = dataset, sampler, BufferPool()

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        # A generator, so that nothing is read before the first `next`: Lightning calls `iter`
        # before it sets the epoch.
        for batch in self.as_kept():
            yield batch._replace(images=unit(batch.images, self._memory.empty))

    def as_kept(self) -> Iterator[Batch]:
        """Yield the same batches with images as stored, perhaps bytes.

        A batch is valid until the next one is requested.

        Raises:
            UserError: if an image cannot be read.
        """
        for batch in self._begin():
            if isinstance(batch, UserError):
                self._iterator = None  # ends workers now; garbage collection would take seconds
                raise batch
            pixels = (
                batch.images
                if len(batch.images)
                else self.batches.buffer(self.order.given, len(batch.labels))
            )
            self.order.given += 1
            yield batch._replace(images=pixels)

    def _begin(self) -> Iterator[Batch | UserError]:
        if self.num_workers and self.batches.buffers is None:
            # One for each batch read ahead, and one for the batch that is unpacked here.
            self.batches.allocate_buffers(
                N_PREFETCHED * self.num_workers + 1, self.order.batch_size
            )
        batches = super().__iter__()
        self.order.given, self.order.first = self.order.first, 0
        return batches

    def state_dict(self) -> dict[str, Any]:
        """Return the next epoch and batch, and everything else that the order depends on."""
        return self.order.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state.

        Args:
            state: from `state_dict`.

        Raises:
            UserError: if it stopped within an epoch of other images, batch size, seed or ranks.
        """
        self.order.load_state_dict(state)


def _identity(batch: Any) -> Any:
    return batch
