"""The batches that a trainer reads: of a data set, or of its cached activations."""

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
    """Loaders that are made when Lightning asks for them, since only then the ranks are known.

    Args:
        given: A data set that is set up, or its cached activations.
    """

    def __init__(self, given: ImageData | CachedData) -> None:
        super().__init__()
        self.given = given

    def train_dataloader(self) -> Any:
        return self.given.train_dataloader()

    def val_dataloader(self) -> Any:
        return self.given.val_dataloader()

    def in_order(self, split: str) -> Iterable[Batch | BatchWithActivations]:
        """Return the batches of a whole split, neither shuffled nor augmented.

        Args:
            split: `train`, `val` or `test`.

        Returns:
            The batches, with the predictor's activations where these are cached.
        """
        return self.given.in_order(split)

    def split(self, name: str) -> Split:
        """Return the images and labels of a split.

        Args:
            name: `train`, `val` or `test`.

        Returns:
            The split.
        """
        return self.given.split(name)

    @property
    def facts(self) -> DataFacts:
        """The facts of the data set."""
        return self.given.facts


def cached_source(
    model: InterpretableModel, data: ImageData, cache: CacheSettings | None, device: Any = "cpu"
) -> Source:
    """Return the batches of a data set, with cached activations where these are wanted.

    Args:
        model: The model, whose predictor is frozen and is moved to `device`.
        data: The data set, set up.
        cache: Where activations are cached; None for no cache.
        device: Where the predictor computes them.

    Returns:
        The batches. The cache is filled, or an earlier one is reused.
    """
    if cache is None:
        return Source(data)
    model.predictor.to(device)
    return Source(cached_activations(model.predictor, data, cache, device) or data)
