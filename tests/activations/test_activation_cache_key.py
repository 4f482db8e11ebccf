"""A cache can never be met by anything but what it was made by."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from interp_by_design.activations import CacheSettings, cached_activations
from interp_by_design.activations.cache_folder import default_root
from interp_by_design.data import ImageFolder
from interp_by_design.predictor import NarrowResNet, Predictor
from interp_by_design.terms import DataFacts, Normalisation
from tests.activations.cached import images, on_disk, small_data

FACTS = DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation())


def predictor(layers: tuple[str, ...] = ("layer1", "layer2"), mean: float = 0.0) -> Predictor:
    torch.manual_seed(0)
    network = NarrowResNet((1, 8, 8), 3, depth=8)
    return Predictor(
        network, layers, DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation((mean,), (1.0,)))
    )


def changed(change: Callable[[nn.Module], None]) -> Predictor:
    made = predictor()
    with torch.no_grad():
        change(made.network)
    return made


def one_weight(network: nn.Module) -> None:
    weight = network.layer2[0].conv1.weight
    weight[0, 0, 0, 0] = torch.nextafter(weight[0, 0, 0, 0], torch.tensor(2.0))


def one_buffer(network: nn.Module) -> None:
    network.bn1.running_mean[3] += 1e-6


def eps(network: nn.Module) -> None:
    network.bn1.eps = 1e-4


def keys(root: Path) -> set[str]:
    return {folder.name for folder in root.iterdir()}


@pytest.mark.parametrize(
    "other",
    [
        lambda: changed(one_weight),
        lambda: changed(one_buffer),
        lambda: changed(eps),
        lambda: predictor(mean=1e-3),
        lambda: predictor(("layer2", "layer1")),
        lambda: predictor(("layer1",)),
    ],
)
def test_another_predictor_is_another_cache(other: Callable[[], Predictor], tmp_path: Path) -> None:
    cached_activations(predictor(), small_data(), on_disk(tmp_path / "one"))
    cached_activations(predictor(), small_data(), on_disk(tmp_path / "same"))
    cached_activations(other(), small_data(), on_disk(tmp_path / "other"))
    assert keys(tmp_path / "one") == keys(tmp_path / "same")
    assert not keys(tmp_path / "one") & keys(tmp_path / "other")


def test_another_image_label_or_dtype_is_another_cache(tmp_path: Path) -> None:
    pixels, _ = images()
    pixels[50, 0, 3, 3] ^= 1
    cached_activations(predictor(), small_data(), on_disk(tmp_path / "one"))
    cached_activations(predictor(), small_data(pixels), on_disk(tmp_path / "image"))
    assert len(keys(tmp_path / "one") & keys(tmp_path / "image")) == 2, (
        "one split of three holds that image"
    )
    for dtype in ("bfloat16", "float32"):
        cached_activations(predictor(), small_data(), on_disk(tmp_path / dtype, dtype=dtype))
        assert not keys(tmp_path / "one") & keys(tmp_path / dtype)


def test_what_training_alone_depends_on_is_not_in_the_key(tmp_path: Path) -> None:
    cached_activations(predictor(), small_data(), on_disk(tmp_path))
    passes = cached_activations(predictor(), small_data(batch_size=3, seed=9), on_disk(tmp_path))
    assert passes is not None
    assert passes.seconds == 0


def test_a_file_that_was_written_again_is_another_cache(tmp_path: Path) -> None:
    for i in range(30):
        path = tmp_path / f"images/train/{'ab'[i % 2]}/{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(path)
    facts = DataFacts((1, 8, 8), ("a", "b"), Normalisation())
    torch.manual_seed(0)
    network = NarrowResNet((1, 8, 8), 2, depth=8)

    def record() -> float:
        data = ImageFolder(tmp_path / "images", size=8, channels=1, workers=0)
        data.setup()
        passes = cached_activations(
            Predictor(network, ["layer2"], facts), data, on_disk(tmp_path / "cache")
        )
        assert passes is not None
        return passes.seconds

    assert record() > record() == 0
    os.utime(tmp_path / "images/train/a/0.png", ns=(1, 1))
    assert record() > 0


def test_where_caches_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INTERP_CACHE", str(tmp_path / "mine"))
    assert default_root() == CacheSettings().folder == tmp_path / "mine/activations"
    monkeypatch.delenv("INTERP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert default_root() == tmp_path / "shared/interp_by_design/activations"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_root() == Path.home() / ".cache/interp_by_design/activations"
    assert CacheSettings(root="~/here").folder == Path.home() / "here"
