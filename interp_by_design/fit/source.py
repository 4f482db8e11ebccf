"""What a trainer draws from: a data set, or what a frozen predictor made of it. Knows nothing of what is learned."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, final

import pytorch_lightning as pl

from interp_by_design.data.datamodule import ImageData
from interp_by_design.gather import CacheSettings, RecordedData, recorded
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, DataFacts, SeenBatch


@final
class Source(pl.LightningDataModule):
    """The loaders of `given`, made when Lightning asks for them: by then the ranks are known.

    seconds: how long it took to record the predictor's passes; 0 where there is nothing recorded, or it was found.
    """

    def __init__(self, given: ImageData | RecordedData, seconds: float = 0.0) -> None:
        super().__init__()
        self.given, self.seconds = given, seconds

    def train_dataloader(self) -> Any:
        return self.given.train_dataloader()

    def val_dataloader(self) -> Any:
        return self.given.val_dataloader()

    def in_order(self, split: str) -> Iterable[Batch | SeenBatch]:
        """A whole split neither shuffled nor augmented, for passes that analyse it."""
        return self.given.in_order(split)

    @property
    def facts(self) -> DataFacts:
        """The data set's."""
        return self.given.facts


def recorded_source(model: InterpretableModel, data: ImageData, cache: CacheSettings | None, device: Any = "cpu") -> Source:
    """`data`, or its passes through the predictor as `cache` says, recorded or found."""
    if cache is None:
        return Source(data)
    start = time.perf_counter()
    model.predictor.to(device)
    passes = recorded(model.predictor, data, cache, device)
    return Source(data) if passes is None else Source(passes, time.perf_counter() - start)
