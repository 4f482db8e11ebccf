"""Data set with the cached activations of a frozen predictor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from interp_by_design.activations.cached_loader import CachedLoader
from interp_by_design.activations.shard_store import Store
from interp_by_design.activations.stored_order import Grouped
from interp_by_design.data.datamodule import ImageData
from interp_by_design.data.order import InOrder
from interp_by_design.data.split import Split
from interp_by_design.terms import DataFacts, UnknownName


@final
class CachedData:
    """Loaders of a data set, with the forward pass of the predictor in each batch.

    Args:
        data: The data set.
        stores: The cached rows of each split.
        seconds: The time that recording them took; 0 if all were found.
    """

    def __init__(self, data: ImageData, stores: Mapping[str, Store], seconds: float = 0.0) -> None:
        self._data, self._stores, self.seconds = data, dict(stores), seconds

    @property
    def facts(self) -> DataFacts:
        """The facts of the data set."""
        return self._data.facts

    def class_counts(self) -> tuple[int, ...]:
        """Return the number of training images of each class, [C]."""
        return self._data.class_counts()

    def fingerprint(self) -> str:
        """Return the fingerprint of the data set, on which the passes depend."""
        return self._data.fingerprint()

    def split(self, name: str) -> Split:
        """Return the images and labels of a split, without activations.

        Args:
            name: `train`, `val` or `test`.
        """
        return self._data.split(name)

    def train_dataloader(self) -> CachedLoader:
        """Return shuffled batches of training rows.

        Outside Lightning, call `loader.sampler.set_epoch` before each epoch.
        """
        store = self._stores["train"]
        order = Grouped(
            store.layout.n, self._data.batch_size, self._data.seed, store.layout.rows_per_shard
        )
        return CachedLoader(store, order)

    def val_dataloader(self) -> CachedLoader:
        """Return the validation rows in order, divided among the ranks."""
        return self._as_stored("val", sharded=True)

    def test_dataloader(self) -> CachedLoader:
        """Return the test rows in order, divided among the ranks."""
        return self._as_stored("test", sharded=True)

    def in_order(self, split: str) -> CachedLoader:
        """Return a whole split, each image once, in a fixed order.

        Validation and test keep the order of the split; train has the order in which it is stored,
        which depends on no training seed. The rows are never divided among processes.

        Args:
            split: `train`, `val` or `test`.

        Raises:
            UserError: For an unknown split.
        """
        return self._as_stored(split, sharded=False)

    def _as_stored(self, split: str, sharded: bool) -> CachedLoader:
        if split not in self._stores:
            raise UnknownName.among("split", split, self._stores, owner=type(self._data).__name__)
        store, batch_size = self._stores[split], self._data.in_order(split).order.batch_size
        return CachedLoader(store, InOrder(store.layout.n, batch_size, sharded=sharded))
