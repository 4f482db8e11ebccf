"""A data set with the forward passes of a frozen predictor."""

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
    """The loaders of a data set, with the predictor's passes in each batch.

    Args:
        data: The images.
        stores: The passes of each split.
        seconds: How long recording took; 0 if all were found.
    """

    def __init__(self, data: ImageData, stores: Mapping[str, Store], seconds: float = 0.0) -> None:
        self._data, self._stores, self.seconds = data, dict(stores), seconds

    @property
    def facts(self) -> DataFacts:
        """Image shape, classes and normalisation of the data set."""
        return self._data.facts

    def class_counts(self) -> tuple[int, ...]:
        """Return the number of train images of each class."""
        return self._data.class_counts()

    def fingerprint(self) -> str:
        """Return the fingerprint of the data set."""
        return self._data.fingerprint()

    def split(self, name: str) -> Split:
        """Return images and labels of a split, without passes.

        Args:
            name: `train`, `val` or `test`.
        """
        return self._data.split(name)

    def train_dataloader(self) -> CachedLoader:
        """Return shuffled batches. Outside Lightning, call `loader.sampler.set_epoch` each epoch."""
        store = self._stores["train"]
        order = Grouped(
            store.layout.n, self._data.batch_size, self._data.seed, store.layout.rows_per_shard
        )
        return CachedLoader(store, order)

    def val_dataloader(self) -> CachedLoader:
        """Return the validation split in stored order, distributed over the ranks."""
        return self._as_stored("val", sharded=True)

    def test_dataloader(self) -> CachedLoader:
        """Return the test split in stored order, distributed over the ranks."""
        return self._as_stored("test", sharded=True)

    def in_order(self, split: str) -> CachedLoader:
        """A whole split not shuffled, each image once: val and test as they lie, train in the order that it is stored in.

        That order is fixed, no training seed moves it, and batches hold indices. Never sharded out
        to several processes.
        """
        return self._as_stored(split, sharded=False)

    def _as_stored(self, split: str, sharded: bool) -> CachedLoader:
        if split not in self._stores:
            raise UnknownName.among("split", split, self._stores, owner=type(self._data).__name__)
        store, at_once = self._stores[split], self._data.in_order(split).order.batch_size
        return CachedLoader(store, InOrder(store.layout.n, at_once, sharded=sharded))
