"""A post-hoc run on digits: folder, cache, resume, what it saves, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from interp_by_design import InterpretableModel, load
from interp_by_design.predictor import LeNet, weights_hash
from interp_by_design.run import train
from interp_by_design.terms import UserError
from tests.small import composed

SMALL = [
    "learning=post_hoc",
    "predictor.network.channels=[4,8]",
    "predictor.network.width=16",
    "attributes.n_attributes=12",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
    "threads=1",
]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = LeNet((1, 8, 8), 10, channels=(4, 8), width=16)
    torch.save(network.state_dict(), path := tmp_path_factory.mktemp("weights") / "lenet.pth")
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fitted(folder: Path, weights: Path, *options: str) -> dict[str, float]:
    return train(composed(folder, *SMALL, f"predictor.weights={weights}", *options))


def state(run: Path, which: str = "last") -> dict[str, Tensor]:
    content = torch.load(run / f"checkpoints/{which}.ckpt", weights_only=True)
    entries: dict[str, Tensor] = content["state_dict"]
    return entries


def test_a_run_keeps_the_predictor_apart_and_comes_back_whole(
    tmp_path: Path, weights: Path
) -> None:
    scores = fitted(run := tmp_path / "run", weights)
    assert {
        "test/fidelity",
        "test/fidelity_rank_probe",
        "test/fidelity_full_probe",
        "train/seconds",
    } <= scores.keys()
    assert not any("predictor" in name for name in state(run))
    assert {file.name for file in (run / "interpreter").iterdir()} == {
        "interpreter.safetensors",
        "config.json",
        "README.md",
    }
    model = load(run)
    assert weights_hash(model.predictor.network) == weights_hash(network(weights))
    assert model.scores["fidelity"] == scores["test/fidelity"]
    again = InterpretableModel.from_pretrained(run / "interpreter", predictor=network(weights))
    images = torch.rand(4, 1, 8, 8)
    torch.testing.assert_close(again(images).interpreter, model(images).interpreter)


def network(weights: Path) -> LeNet:
    fresh = LeNet((1, 8, 8), 10, channels=(4, 8), width=16)
    fresh.load_state_dict(torch.load(weights, weights_only=True))
    return fresh.eval()


@pytest.mark.slow
def test_disk_memory_and_no_cache_come_to_the_same(
    tmp_path: Path, weights: Path, cache: Path
) -> None:
    exact = "cache.dtype=float32"
    ram = fitted(tmp_path / "ram", weights, "cache=ram", exact)
    disk = fitted(tmp_path / "disk", weights, "cache=disk", exact)
    off = fitted(tmp_path / "off", weights, "cache=off")
    assert all(
        torch.equal(value, state(tmp_path / "ram")[name])
        for name, value in state(tmp_path / "disk").items()
    )
    timeless = {key for key in ram if not key.startswith("train/")}
    assert {key: ram[key] for key in timeless} == {key: disk[key] for key in timeless}
    # The order of the images differs from the network's own run, and nothing else.
    assert off["test/predictor_accuracy"] == ram["test/predictor_accuracy"]
    assert off["test/fidelity"] == pytest.approx(ram["test/fidelity"], abs=0.15)
    assert len(list((cache / "activations").iterdir())) == 3


@pytest.mark.slow
def test_a_second_run_finds_what_the_first_recorded(
    tmp_path: Path, weights: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    fitted(tmp_path / "one", weights, "cache=disk")
    caplog.clear()
    fitted(tmp_path / "two", weights, "cache=disk", "seed=1")
    assert "are missing" not in caplog.text
    assert "Read from the cache" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("baseline", ["linear_probe", "pca", "nmf", "sparse_autoencoder"])
def test_baselines_are_fitted_scored_saved_and_loaded(
    tmp_path: Path, weights: Path, baseline: str
) -> None:
    scores = fitted(tmp_path, weights, f"attributes={baseline}")
    assert 0 < scores["test/fidelity"] <= 1
    images = torch.rand(4, 1, 8, 8)
    loaded = load(tmp_path)
    again = InterpretableModel.from_pretrained(tmp_path / "interpreter", predictor=network(weights))
    torch.testing.assert_close(again(images).attributes, loaded(images).attributes)


@pytest.mark.slow
def test_the_control_that_relabels_works_post_hoc_and_is_caught(
    tmp_path: Path, weights: Path
) -> None:
    scores = fitted(tmp_path, weights, "interpreter=relabelled", "trainer.max_epochs=20")
    assert scores["test/logit_predictability"] > 0.9


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            ["cache=disk", "data.augmentation={_target_: interp_by_design.data.RandomFlip}"],
            "data.augmentation=null, or",
        ),
        (
            ["learning=by_design", "cache=ram"],
            "cache=ram keeps the activations of a frozen predictor",
        ),
        (["learning=by_design", "attributes=pca"], "Use learning=post_hoc"),
        (["+learning.class_weights=balanced"], "class_weights"),
        (["cache.dtype=float8"], "float8"),
        (["predictor.hidden_layers=[head]"], "class head's output"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_fitted(
    tmp_path: Path, weights: Path, options: list[str], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        fitted(tmp_path, weights, *options)


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_and_ends_as_an_unbroken_one(
    tmp_path: Path, weights: Path, cache: Path
) -> None:
    options = ["cache=disk", "trainer.max_epochs=12", "callbacks.last.minutes=0.001"]
    whole = fitted(tmp_path / "whole", weights, *options)
    command = [sys.executable, "train.py", *SMALL, *options, f"predictor.weights={weights}"]
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [*command, f"hydra.run.dir={killed}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 90
    while (
        not (killed / "checkpoints/last.ckpt").is_file()
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run([*command, f"resume={killed}"], check=True, capture_output=True, timeout=300)
    resumed: dict[str, Any] = json.loads((killed / "metrics.json").read_text())
    timeless = [key for key in whole if not key.startswith("train/")]
    assert {key: resumed[key] for key in timeless} == {key: whole[key] for key in timeless}


@pytest.mark.slow
def test_a_resumed_run_refuses_other_weights(tmp_path: Path, weights: Path) -> None:
    options = [f"predictor.weights={(own := tmp_path / 'own.pth')}", "cache=off"]
    own.write_bytes(weights.read_bytes())
    config = composed(run := tmp_path / "run", *SMALL, *options)
    train(config)
    (run / "metrics.json").unlink()
    torch.save(LeNet((1, 8, 8), 10, channels=(4, 8), width=16).state_dict(), own)
    with pytest.raises(UserError, match="was fitted to other weights"):
        train(composed(run, *SMALL, *options, f"resume={run}"))
