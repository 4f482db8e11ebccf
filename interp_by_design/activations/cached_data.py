"""A data set as a frozen predictor saw it: what fitting and evaluating read in place of images. Knows nothing of training."""

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
    """The loaders of `data`, with the predictor's passes in each batch.

    seconds: how long it took to record them; 0 where all were found.
    """

    def __init__(self, data: ImageData, stores: Mapping[str, Store], seconds: float = 0.0) -> None:
        self._data, self._stores, self.seconds = data, dict(stores), seconds

    @property
    def facts(self) -> DataFacts:
        """The data set's."""
        return self._data.facts

    def class_counts(self) -> tuple[int, ...]:
        """How many images of each class there are to train on."""
        return self._data.class_counts()

    def fingerprint(self) -> str:
        """The data set's: passes are made of it, and hold nothing that it does not."""
        return self._data.fingerprint()

    def split(self, name: str) -> Split:
        """The images and labels of `train`, `val` or `test`, without passes."""
        return self._data.split(name)

    def train_dataloader(self) -> CachedLoader:
        """Shuffled batches of the data set's size; outside Lightning, call `loader.sampler.set_epoch` each epoch."""
        store = self._stores["train"]
        order = Grouped(
            store.layout.n, self._data.batch_size, self._data.seed, store.layout.rows_per_shard
        )
        return CachedLoader(store, order)

    def val_dataloader(self) -> CachedLoader:
        """Validation as it lies, shared out among the ranks."""
        return self._as_stored("val", sharded=True)

    def test_dataloader(self) -> CachedLoader:
        """Test as it lies, shared out among the ranks."""
        return self._as_stored("test", sharded=True)

    def in_order(self, split: str) -> CachedLoader:
        """A whole split not shuffled, each image once: val and test as they lie, train in the order that it is stored in.

        That order is fixed, no training seed moves it, and batches hold indices. Never sharded out to several processes.
        """
        return self._as_stored(split, sharded=False)

    def _as_stored(self, split: str, sharded: bool) -> CachedLoader:
        if split not in self._stores:
            raise UnknownName.among("split", split, self._stores, owner=type(self._data).__name__)
        store, at_once = self._stores[split], self._data.in_order(split).order.batch_size
        return CachedLoader(store, InOrder(store.layout.n, at_once, sharded=sharded))
