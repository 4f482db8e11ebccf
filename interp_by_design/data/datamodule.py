"""Base of all image data sets: three splits, their loaders, and the facts that a model needs."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypedDict, final

import torch
from pytorch_lightning import LightningDataModule

from interp_by_design.data.augmentation import Augmentation, Chain
from interp_by_design.data.check import check
from interp_by_design.data.loader import Batches, Loader
from interp_by_design.data.order import InOrder, Shuffled
from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.data.split import DataSplits, Split, count_held_out, hold_out
from interp_by_design.terms import (
    Concepts,
    DataFacts,
    Factors,
    Indices,
    UnknownName,
    UserError,
    check_whole,
)

# Evaluation reads 1024 images at once, fewer where they are large: about so many values, 64 MiB of
# floats.
MAX_EVAL_IMAGES = 1024
MAX_EVAL_VALUES = 2**24


class Loading(TypedDict, total=False):
    """The options that all data sets share; `ImageData` describes them."""

    batch_size: int
    validation: int | float
    augmentation: Augmentation | Sequence[Augmentation] | None
    seed: int
    workers: int


class ImageData(LightningDataModule, ABC):
    """Base of all image data sets.

    Loaders yield `Batch` with images float32 in [0, 1]; the model normalises them, by
    `facts.normalisation`.

    Args:
        batch_size: images of a training batch on each device.
        validation: images to cut from train, a count or a fraction below 1; the seed does not
            change them.
        augmentation: applied to training batches only; several are applied in turn.
        seed: with the epoch, it determines the training order and the augmentation.
        workers: reading processes of each loader; 0 reads in the training process, best for data
            in memory.

    Raises:
        UserError: if an option is out of range.
    """

    def __init__(
        self,
        batch_size: int = 128,
        validation: int | float = 0.1,
        augmentation: Augmentation | Sequence[Augmentation] | None = None,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__()
        check_whole("batch_size", batch_size, minimum=1)
        check_whole("seed", seed, minimum=0)
        check_whole("workers", workers, minimum=0)
        self.batch_size, self.validation, self.seed, self.workers = (
            batch_size,
            validation,
            seed,
            workers,
        )
        self.augmentation = _one(augmentation)
        self._facts: DataFacts | None = None
        self._splits: dict[str, Split] = {}
        self._rows: dict[str, Indices] = {}

    @abstractmethod
    def read(self) -> DataSplits:
        """Read the whole data set; called once.

        Returns:
            The splits as read.

        Raises:
            UserError: if the data set is missing or damaged.
        """

    def hold(self, split: Split) -> Split:
        """Prepare a split for use after cutting; by default it stays as it is.

        Args:
            split: a split, after validation was cut from train.

        Returns:
            The split to use, with the same images in the same order.
        """
        return split

    @final
    def setup(self, stage: str | None = None) -> None:
        """Read, check and cut the data set; a second call does nothing.

        Args:
            stage: Lightning's stage; every stage prepares all splits.

        Raises:
            UserError: if the data set is missing, damaged or inconsistent.
        """
        if self.is_read:
            return
        reading = self.read()
        check(reading)
        self._divide(reading)
        self._facts = DataFacts(
            reading.train.image_shape, reading.class_names, reading.normalisation
        )

    @final
    def _divide(self, reading: DataSplits) -> None:
        train, val = reading.train, reading.val
        if val is None:
            kept, held = hold_out(
                train.labels, count_held_out(self.validation, len(train), "validation")
            )
            train, val = train.take(kept), train.take(held)
        else:
            kept, held = torch.arange(len(train)), torch.arange(len(val))
        self._rows = {"train": kept, "val": held, "test": torch.arange(len(reading.test))}
        cut = {"train": train, "val": val, "test": reading.test}
        self._splits = {name: self.hold(split) for name, split in cut.items()}

    @final
    @property
    def is_read(self) -> bool:
        """Whether `setup` has read the data set."""
        return self._facts is not None

    @property
    def facts(self) -> DataFacts:
        """Image shape, class names and normalisation; a UserError before `setup`."""
        if self._facts is None:
            raise UserError(f"{type(self).__name__} has not been read yet. Call setup() first.")
        return self._facts

    def __str__(self) -> str:
        if self._facts is None:
            return type(self).__name__
        counts = ", ".join(f"{len(split):,} {name}" for name, split in self._splits.items())
        shape = " x ".join(map(str, self._facts.image_shape))
        return (
            f"{type(self).__name__} ({counts} images of {shape}, {self._facts.n_classes} classes)"
        )

    @final
    def split(self, name: str) -> Split:
        """Return the images and labels of a split.

        Args:
            name: `train`, `val` or `test`.

        Returns:
            The split.

        Raises:
            UserError: before `setup`, or for another name.
        """
        return self._splits[self._known(name)]

    @final
    def rows(self, name: str) -> Indices:
        """Return each image's row in the data set as read.

        Args:
            name: `train`, `val` or `test`.

        Returns:
            [n], rows of the published train set for a `val` that was cut from it.

        Raises:
            UserError: before `setup`, or for another name.
        """
        return self._rows[self._known(name)]

    def factors(self, name: str) -> Factors | None:
        """Return the generative factors of the images of a split.

        Args:
            name: `train`, `val` or `test`.

        Returns:
            The factors in the order of the split; None for a data set that does not know them.
        """
        return None

    def concepts(self, name: str) -> Concepts | None:
        """Return the concepts that label the images of a split.

        Args:
            name: `train`, `val` or `test`.

        Returns:
            A concept for each value of each discrete or binary factor, in the order of the split;
            None for a data set without such factors.
        """
        factors = self.factors(name)
        return factors.concepts() if factors is not None and factors.value_names else None

    @final
    def class_counts(self) -> tuple[int, ...]:
        """Return how many train images each class has, without validation."""
        counts: list[int] = (
            self.split("train").labels.bincount(minlength=self.facts.n_classes).tolist()
        )
        return tuple(counts)

    @final
    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of the three splits' fingerprints; equal for equal data."""
        parts = [(name, self.split(name).fingerprint()) for name in ("train", "val", "test")]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @final
    def train_dataloader(self) -> Loader:
        """Return shuffled and augmented batches, all of `batch_size`.

        Outside Lightning, call `loader.sampler.set_epoch` before each epoch.
        """
        split = self.split("train")
        order = Shuffled(len(split), self.batch_size, self.seed)
        return Loader(Batches(split, self.augmentation, self.seed), order, self.workers)

    @final
    def val_dataloader(self) -> Loader:
        return self._in_order("val", sharded=True)

    @final
    def test_dataloader(self) -> Loader:
        return self._in_order("test", sharded=True)

    @final
    def in_order(self, split: str) -> Loader:
        """Return a whole split, neither shuffled nor augmented, also where several processes run.

        Args:
            split: `train`, `val` or `test`.

        Returns:
            A loader of all its images in order.
        """
        return self._in_order(split, sharded=False)

    def _in_order(self, name: str, sharded: bool) -> Loader:
        split = self.split(name)
        at_once = images_per_pass(split.image_shape, MAX_EVAL_IMAGES, MAX_EVAL_VALUES, min_images=2)
        return Loader(Batches(split), InOrder(len(split), at_once, sharded=sharded), self.workers)

    def _known(self, name: str) -> str:
        _ = self.facts  # raises before `setup`
        if name not in self._splits:
            raise UnknownName.among("split", name, self._splits, owner=type(self).__name__)
        return name


def _one(augmentation: Augmentation | Sequence[Augmentation] | None) -> Augmentation | None:
    if augmentation is None or augmentation == []:
        return None
    steps: list[Any] = (
        list(augmentation) if isinstance(augmentation, list | tuple) else [augmentation]
    )
    for step in steps:
        if not callable(step):
            raise UserError(
                f"augmentation={step!r} is no augmentation. Give null, a list, or a _target_ "
                "such as interp_by_design.data.RandomShift."
            )
    return steps[0] if len(steps) == 1 else Chain(tuple(steps))
