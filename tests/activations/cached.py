"""Frozen predictor and small data set that is recorded in many shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from interp_by_design.activations import CachedData, CacheSettings, cached_activations
from interp_by_design.data import TensorData
from interp_by_design.predictor import LeNet, Predictor
from interp_by_design.terms import DataFacts, Normalisation

N = 90
N_TEST = 11
N_VAL = 13
FACTS = DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation())
ROW = (
    64 + 8 + 8 + 4 * 3 + 2 * (4 * 4 * 4 + 16)
)  # bytes, in float16: pixels, label, index, logits, conv1, fc1
SHARD = 8 * ROW  # of eight rows


def images(n: int = N, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (n, 1, 8, 8), generator=draws, dtype=torch.uint8)
    return pixels, (torch.arange(n) * 3 // n).clamp_max(2)  # sorted by class, as folders are


def small_data(pixels: torch.Tensor | None = None, **options: Any) -> TensorData:
    given, labels = images()
    test = images(N_TEST, seed=1)
    loading: dict[str, Any] = {"batch_size": 7, "validation": N_VAL, "seed": 3, **options}
    data = TensorData(
        given if pixels is None else pixels, labels, FACTS.class_names, test, **loading
    )
    data.setup()
    return data


def small_predictor(layers: tuple[str, ...] = ("conv1", "fc1"), **options: Any) -> Predictor:
    torch.manual_seed(0)
    return Predictor(
        LeNet((1, 8, 8), 3, channels=(4, 8), width=16), layers, FACTS, **options
    ).eval()


def on_disk(root: Path, **options: Any) -> CacheSettings:
    return CacheSettings("disk", root, **{"shard_bytes": SHARD, **options})


def record_small(root: Path, **options: Any) -> CachedData:
    """What a subprocess of a test runs."""
    found = cached_activations(small_predictor(), small_data(), on_disk(root, **options))
    if found is None:
        raise RuntimeError("nothing was recorded")
    return found
