"""The scorecard of a model on the splits of its data. Knows nothing of how it was fitted."""

from __future__ import annotations

from collections.abc import Sequence

from interp_by_design.data.datamodule import ImageData
from interp_by_design.fit.source import Source
from interp_by_design.gather import class_mean_images, interpretation_table
from interp_by_design.metrics import scorecard
from interp_by_design.model import InterpretableModel


def evaluate(
    model: InterpretableModel, data: ImageData | Source, seed: int, splits: Sequence[str] = ("val", "test")
) -> dict[str, float]:
    """The scores of `splits`, by keys `val/…` and `test/…`."""
    means = class_mean_images(data.in_order("train"), data.facts.n_classes)
    train_table = interpretation_table(model, data.in_order("train"), means)
    return {
        f"{split}/{key}": value
        for split in splits
        for key, value in scorecard(interpretation_table(model, data.in_order(split), means), train_table, seed).items()
    }
