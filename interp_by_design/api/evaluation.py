"""The scorecard of a model on the splits of its data. Knows nothing of how it was fitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path

import torch

from interp_by_design.activations import class_mean_images, interpretation_table
from interp_by_design.api.source import Source
from interp_by_design.data.datamodule import ImageData
from interp_by_design.data.split import Split
from interp_by_design.explain import (
    consistency_scores,
    effect_scores,
    faithfulness_scores,
    stability_scores,
)
from interp_by_design.metrics import scorecard
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, InterpretationTable

SPLITS = ("train", "val", "test")
FEWEST_IMAGES, MOST_IMAGES, IMAGE_VALUES = (
    100,
    500,
    2**24,
)  # that are run anew: 500, and at 224 x 224 some hundred
BATCH = 50


def evaluate(
    model: InterpretableModel,
    data: ImageData | Source,
    seed: int,
    splits: Sequence[str] = ("val", "test"),
) -> dict[str, float]:
    """The scores of `splits`, by keys `val/…` and `test/…`."""
    tables = tables_of(model, data, ("train", *splits))
    return scores_of(tables, seed) | scores_of_running(model, data, tables, seed)


def tables_of(
    model: InterpretableModel,
    data: ImageData | Source,
    splits: Sequence[str] = SPLITS,
    folder: Path | None = None,
) -> dict[str, InterpretationTable]:
    """The interpretation tables of `splits`, by name; with `folder`, kept below it and memory-mapped."""
    means = class_mean_images(data.in_order("train"), data.facts.n_classes)
    return {
        split: interpretation_table(
            model, data.in_order(split), means, None if folder is None else folder / split
        )
        for split in splits
    }


def scores_of_running(
    model: InterpretableModel,
    data: ImageData | Source,
    tables: Mapping[str, InterpretationTable],
    seed: int,
) -> dict[str, float]:
    """What takes more than tables, of every table's split but train, on a few hundred images."""
    scores: dict[str, float] = {}
    for split, table in tables.items():
        if split != "train":
            found = scores_of_images(model, data.split(split), seed)
            found |= consistency_scores(model, tables["train"], table, seed, n=most_images(model))
            scores |= {f"{split}/{key}": value for key, value in found.items()}
    return scores


def scores_of_images(model: InterpretableModel, split: Split, seed: int) -> dict[str, float]:
    """What takes the images of a split and no other: faithfulness, effects and stability, of the same images."""
    most = most_images(model)
    scores: dict[str, float] = {}
    for measured in (faithfulness_scores, effect_scores, stability_scores):
        scores |= measured(model, spread(split, most), seed, n=most)
    return scores


def most_images(model: InterpretableModel) -> int:
    """How many images of a split are run anew: fewer of large ones."""
    return max(FEWEST_IMAGES, min(MOST_IMAGES, IMAGE_VALUES // prod(model.facts.image_shape)))


def spread(split: Split, most: int) -> Iterator[Batch]:
    """At most `most` images of `split` in batches, evenly spread over it: it may be sorted by class."""
    rows = (
        torch.arange(len(split)) if len(split) <= most else torch.arange(most) * len(split) // most
    )
    return (split.batch(some) for some in torch.split(rows, BATCH))


def scores_of(tables: Mapping[str, InterpretationTable], seed: int) -> dict[str, float]:
    """The scores of every table but train's, which is what `logit_predictability` is fitted on."""
    return {
        f"{split}/{key}": value
        for split, table in tables.items()
        if split != "train"
        for key, value in scorecard(table, tables["train"], seed).items()
    }
