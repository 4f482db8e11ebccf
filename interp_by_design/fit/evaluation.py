"""The scorecard of a model on the splits of its data. Knows nothing of how it was fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from interp_by_design.data.datamodule import ImageData
from interp_by_design.fit.source import Source
from interp_by_design.gather import class_mean_images, interpretation_table
from interp_by_design.metrics import scorecard
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import InterpretationTable

SPLITS = ("train", "val", "test")


def evaluate(
    model: InterpretableModel, data: ImageData | Source, seed: int, splits: Sequence[str] = ("val", "test")
) -> dict[str, float]:
    """The scores of `splits`, by keys `val/…` and `test/…`."""
    return scores_of(tables_of(model, data, ("train", *splits)), seed)


def tables_of(
    model: InterpretableModel, data: ImageData | Source, splits: Sequence[str] = SPLITS, folder: Path | None = None
) -> dict[str, InterpretationTable]:
    """The interpretation tables of `splits`, by name; with `folder`, kept below it and memory-mapped."""
    means = class_mean_images(data.in_order("train"), data.facts.n_classes)
    return {
        split: interpretation_table(model, data.in_order(split), means, None if folder is None else folder / split)
        for split in splits
    }


def scores_of(tables: Mapping[str, InterpretationTable], seed: int) -> dict[str, float]:
    """The scores of every table but train's, which is what `logit_predictability` is fitted on."""
    return {
        f"{split}/{key}": value
        for split, table in tables.items()
        if split != "train"
        for key, value in scorecard(table, tables["train"], seed).items()
    }
