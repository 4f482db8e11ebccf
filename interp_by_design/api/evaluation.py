"""The scorecard of a model on the splits of its data."""

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
from interp_by_design.statistics import evenly_spaced
from interp_by_design.terms import SPLITS, Batch, InterpretationTable

MIN_IMAGES = 100  # of a split, on which scores are computed that run the model
MAX_IMAGES = 500  # the same, for small images
MAX_VALUES = 2**24  # of these images together, where that is more than MIN_IMAGES
BATCH_SIZE = 50


def evaluate(
    model: InterpretableModel,
    data: ImageData | Source,
    seed: int,
    splits: Sequence[str] = ("val", "test"),
) -> dict[str, float]:
    """Compute all scores of a model.

    Args:
        model: The model.
        data: The data to score it on, set up.
        seed: The seed of all random choices of the scores.
        splits: The splits to score.

    Returns:
        The scores, by keys such as `test/fidelity`.
    """
    tables = tables_of(model, data, ("train", *splits))
    return scores_of(tables, seed) | scores_of_running(model, data, tables, seed)


def tables_of(
    model: InterpretableModel,
    data: ImageData | Source,
    splits: Sequence[str] = SPLITS,
    folder: Path | None = None,
) -> dict[str, InterpretationTable]:
    """Compute the interpretation tables of splits.

    Args:
        model: The model.
        data: The data, set up.
        splits: The splits.
        folder: Where to save the tables, which are then memory-mapped; None to hold them in memory.

    Returns:
        The tables, by split.
    """
    means = class_mean_images(data.in_order("train"), data.facts.n_classes)
    return {
        split: interpretation_table(
            model, data.in_order(split), means, None if folder is None else folder / split
        )
        for split in splits
    }


def scores_of(tables: Mapping[str, InterpretationTable], seed: int) -> dict[str, float]:
    """Compute the scores that interpretation tables suffice for.

    Args:
        tables: The tables, by split; train is among them, and serves `logit_predictability`.
        seed: The seed of `logit_predictability`.

    Returns:
        The scores of every split but train, by keys such as `test/fidelity`.
    """
    return {
        f"{split}/{key}": value
        for split, table in tables.items()
        if split != "train"
        for key, value in scorecard(table, tables["train"], seed).items()
    }


def scores_of_running(
    model: InterpretableModel,
    data: ImageData | Source,
    tables: Mapping[str, InterpretationTable],
    seed: int,
) -> dict[str, float]:
    """Compute the scores that need the model to run again, on a few hundred images.

    Args:
        model: The model.
        data: The data, set up.
        tables: The model's interpretation tables, by split; train is among them.
        seed: The seed of all random choices of the scores.

    Returns:
        The scores of every split but train, by keys such as `test/faithfulness`.
    """
    scores: dict[str, float] = {}
    for split, table in tables.items():
        if split != "train":
            found = scores_of_images(model, data.split(split), seed)
            found |= consistency_scores(model, tables["train"], table, seed, n=n_images(model))
            scores |= {f"{split}/{key}": value for key, value in found.items()}
    return scores


def scores_of_images(model: InterpretableModel, split: Split, seed: int) -> dict[str, float]:
    """Compute the scores that need the images of one split: faithfulness, effects and stability.

    Args:
        model: The model.
        split: The split; all scores use the same of its images.
        seed: The seed of all random choices of the scores.

    Returns:
        The scores, by keys without the split.
    """
    n = n_images(model)
    scores: dict[str, float] = {}
    for compute in (faithfulness_scores, effect_scores, stability_scores):
        scores |= compute(model, evenly_spaced_batches(split, n), seed, n=n)
    return scores


def n_images(model: InterpretableModel) -> int:
    """Return on how many images of a split scores are computed that run the model.

    Args:
        model: The model.

    Returns:
        A number from 100 to 500: fewer where images are large.
    """
    return max(MIN_IMAGES, min(MAX_IMAGES, MAX_VALUES // prod(model.facts.image_shape)))


def evenly_spaced_batches(split: Split, count: int) -> Iterator[Batch]:
    """Return batches of images that are evenly spread over a split.

    Args:
        split: The split, which may be sorted by class.
        count: The most images to return.

    Returns:
        Batches of at most 50 images, in the order of the split.
    """
    rows = evenly_spaced(len(split), count)
    return (split.batch(batch) for batch in torch.split(rows, BATCH_SIZE))
