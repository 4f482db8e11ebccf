"""What a trainer draws from: a data set, or what a frozen predictor made of it. Knows nothing of what is learned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import pytorch_lightning as pl

from interp_by_design.activations import CachedData, CacheSettings, cached_activations
from interp_by_design.data.datamodule import ImageData
from interp_by_design.data.split import Split
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, BatchWithActivations, DataFacts


@final
class Source(pl.LightningDataModule):
    """The loaders of `given`, made when Lightning asks for them: by then the ranks are known."""

    def __init__(self, given: ImageData | CachedData) -> None:
        super().__init__()
        self.given = given

    def train_dataloader(self) -> Any:
        return self.given.train_dataloader()

    def val_dataloader(self) -> Any:
        return self.given.val_dataloader()

    def in_order(self, split: str) -> Iterable[Batch | BatchWithActivations]:
        """A whole split neither shuffled nor augmented, for passes that analyse it."""
        return self.given.in_order(split)

    def split(self, name: str) -> Split:
        """The images and labels of `train`, `val` or `test`."""
        return self.given.split(name)

    @property
    def facts(self) -> DataFacts:
        """The data set's."""
        return self.given.facts


def cached_source(
    model: InterpretableModel, data: ImageData, cache: CacheSettings | None, device: Any = "cpu"
) -> Source:
    """`data`, or its passes through the predictor as `cache` says, recorded or found."""
    if cache is None:
        return Source(data)
    model.predictor.to(device)
    return Source(cached_activations(model.predictor, data, cache, device) or data)
