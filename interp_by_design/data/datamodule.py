"""What every image data set is: three splits in memory, their loaders, and the facts a model must know.

Knows nothing of models, and nothing of where a set comes from: that is `read`, the one method a set writes.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any, TypedDict, final

import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader, Dataset

from interp_by_design.data.augmentation import Augmentation
from interp_by_design.data.check import check, check_whole
from interp_by_design.data.order import InOrder, Pick, Purpose, Shuffled, generator
from interp_by_design.data.split import Reading, Split, count_held_out, hold_out
from interp_by_design.terms import Batch, DataFacts, Indices, UnknownName, UserError

EVAL_BATCH_SIZE = 1024


class Loading(TypedDict, total=False):
    """The options that all data sets share; `ImageData` says what they mean and what they default to."""

    batch_size: int
    validation: int | float
    augmentation: Augmentation | None
    seed: int


class ImageData(LightningDataModule, ABC):
    """Base of all data sets. Loaders yield `Batch` with images float32 in [0, 1]: the model normalises, by `facts.normalisation`.

    batch_size: images in every training batch; evaluation reads `EVAL_BATCH_SIZE` at once.
    validation: images cut from train, a count or a fraction below 1; the same ones whatever the seed.
    augmentation: applied to training batches alone, or None.
    seed: with the epoch, all that the training order and the augmentation depend on.
    """

    def __init__(
        self,
        batch_size: int = 128,
        validation: int | float = 0.1,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if augmentation is not None and not callable(augmentation):
            raise UserError(
                f"augmentation={augmentation!r} is none. Give null, or a _target_ such as interp_by_design.data.RandomShift."
            )
        check_whole("batch_size", batch_size, least=1)
        check_whole("seed", seed, least=0)
        self.batch_size, self.validation, self.augmentation, self.seed = batch_size, validation, augmentation, seed
        self._facts: DataFacts | None = None
        self._splits: dict[str, Split] = {}
        self._rows: dict[str, Indices] = {}

    @abstractmethod
    def read(self) -> Reading:
        """The whole data set; called once. Raises UserError where it cannot be had."""

    @final
    def setup(self, stage: str | None = None) -> None:
        """Reads, checks and cuts the data set; a second call does nothing. All splits are made, whatever the stage."""
        if self.is_read:
            return
        reading = self.read()
        check(reading)
        n_train = len(reading.train)
        kept, held = hold_out(reading.train.labels, count_held_out(self.validation, n_train, "validation"))
        self._rows = {"train": kept, "val": held, "test": torch.arange(len(reading.test))}
        self._splits = {"train": reading.train.take(kept), "val": reading.train.take(held), "test": reading.test}
        _, channels, height, width = reading.train.images.shape
        self._facts = DataFacts((channels, height, width), reading.class_names, reading.normalisation)

    @final
    @property
    def is_read(self) -> bool:
        """Whether `setup` has read the set."""
        return self._facts is not None

    @property
    def facts(self) -> DataFacts:
        """Image shape, class names and normalisation. Raises UserError before `setup`."""
        if self._facts is None:
            raise UserError(f"{type(self).__name__} has not been read yet. Call setup() first.")
        return self._facts

    def __str__(self) -> str:
        if self._facts is None:
            return type(self).__name__
        counts = ", ".join(f"{len(split):,} {name}" for name, split in self._splits.items())
        shape = " x ".join(map(str, self._facts.image_shape))
        return f"{type(self).__name__} ({counts} images of {shape}, {self._facts.n_classes} classes)"

    @final
    def split(self, name: str) -> Split:
        """The images and labels of `train`, `val` or `test`, as held in memory."""
        return self._splits[self._known(name)]

    @final
    def rows(self, name: str) -> Indices:
        """For each image of a split, its row in the set as read: in the published train set for `train` and `val`."""
        return self._rows[self._known(name)]

    @final
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the pixels and labels of the three splits: two runs with equal ones saw the same data."""
        digest = hashlib.sha256()
        for name in ("train", "val", "test"):
            split = self.split(name)
            digest.update(repr((name, split.images.shape, split.images.dtype)).encode())
            digest.update(split.images.contiguous().numpy().data)
            digest.update(split.labels.contiguous().numpy().data)
        return digest.hexdigest()

    @final
    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled and augmented batches, all of `batch_size`; outside Lightning, call `loader.sampler.set_epoch` each epoch."""
        split = self.split("train")
        return _loader(Batches(split, self.augmentation, self.seed), Shuffled(len(split), self.batch_size, self.seed))

    @final
    def train_in_order(self) -> DataLoader[Batch]:
        """The train split neither shuffled nor augmented, for passes that analyse it."""
        return self._in_order("train")

    @final
    def val_dataloader(self) -> DataLoader[Batch]:
        return self._in_order("val")

    @final
    def test_dataloader(self) -> DataLoader[Batch]:
        return self._in_order("test")

    def _in_order(self, name: str) -> DataLoader[Batch]:
        split = self.split(name)
        return _loader(Batches(split), InOrder(len(split), EVAL_BATCH_SIZE))

    def _known(self, name: str) -> str:
        _ = self.facts  # raises before `setup`
        if name not in self._splits:
            raise UnknownName.among("split", name, self._splits, owner=type(self).__name__)
        return name


@final
class Batches(Dataset[Batch]):
    """A split that is asked for whole batches: one indexed read a batch, not one Python call an image."""

    def __init__(self, split: Split, augmentation: Augmentation | None = None, seed: int = 0) -> None:
        self.split, self.augmentation, self.seed = split, augmentation, seed

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, pick: Pick) -> Batch:
        batch = self.split.batch(pick.indices)
        if self.augmentation is None:
            return batch
        draws = generator(Purpose.AUGMENT, self.seed, pick.epoch, pick.batch)
        return batch._replace(images=self.augmentation(batch.images, draws))


def _loader(batches: Batches, order: InOrder | Shuffled) -> DataLoader[Batch]:
    # batch_size=None: the sampler already asks for whole batches, and there is nothing left to collate.
    return DataLoader(batches, sampler=order, batch_size=None, collate_fn=_as_it_is)


def _as_it_is(batch: Any) -> Any:
    return batch
