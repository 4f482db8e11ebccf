"""Whole runs on embedded data: files, repetition, and the claim of a small experiment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

import interp_by_design
from interp_by_design.metrics import failed_gates
from interp_by_design.run import train
from interp_by_design.run.build import build_data
from interp_by_design.terms import UserError
from tests.small import composed

QUICK = ["trainer.max_epochs=2"]


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two epochs, for tests that only read it."""
    folder = tmp_path_factory.mktemp("quick") / "run"
    train(composed(folder, *QUICK))
    return folder


@pytest.fixture(scope="module")
def quick_scores(quick_run: Path) -> dict[str, float]:
    scores: dict[str, float] = json.loads((quick_run / "metrics.json").read_text())
    return scores


def test_a_run_leaves_numbers_provenance_checkpoints_and_a_log(
    quick_run: Path, quick_scores: dict[str, float]
) -> None:
    run, scores = quick_run, quick_scores
    assert train(composed(run, *QUICK, f"resume={run}")) == scores, "what train returned"
    assert {
        "test/fidelity",
        "val/fidelity",
        "test/logit_predictability",
        "train/seconds",
        "train/images_per_second",
    } <= set(scores)
    provenance = json.loads((run / "provenance.json").read_text())
    assert {"format", "command", "revision", "versions", "machine", "data"} <= set(provenance)
    assert (run / "checkpoints/best.ckpt").is_file()
    assert (run / "checkpoints/last.ckpt").is_file()
    assert "train/output_fidelity" in (run / "csv/metrics.csv").read_text().splitlines()[0]


@pytest.mark.slow
def test_the_same_command_twice_gives_the_same_numbers(
    tmp_path: Path, quick_scores: dict[str, float]
) -> None:
    first, second = quick_scores, train(composed(tmp_path / "second", *QUICK))
    timings = {"train/seconds", "train/images_per_second"}
    assert {key: value for key, value in first.items() if key not in timings} == {
        key: value for key, value in second.items() if key not in timings
    }
    other = train(composed(tmp_path / "other", *QUICK, "seed=1"))
    assert other["test/kl"] != first["test/kl"]


def test_load_gives_the_evaluated_model_back_and_spares_the_random_state(
    quick_run: Path, quick_scores: dict[str, float]
) -> None:
    config, scores = composed(quick_run, *QUICK), quick_scores
    state = torch.get_rng_state()
    model = interp_by_design.load(quick_run, checkpoint="last")
    assert torch.equal(state, torch.get_rng_state())
    assert not model.training
    data = build_data(config)
    seen = [(model(batch.images), batch.labels) for batch in data.test_dataloader()]
    right = sum(int((out.predictor.argmax(dim=1) == labels).sum()) for out, labels in seen)
    assert right / 360 == pytest.approx(scores["test/predictor_accuracy"])
    assert model.explain(next(iter(data.test_dataloader())).images[0]).relevant(tau=2)


def test_load_gives_what_was_evaluated_unless_asked_otherwise(
    quick_run: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(quick_run, tmp_path / "run")
    assert composed(run).checkpoint == "last", "what the run evaluated"
    (run / "checkpoints/best.ckpt").unlink()
    interp_by_design.load(run)
    with pytest.raises(UserError, match="No checkpoint 'best'"):
        interp_by_design.load(run, checkpoint="best")


def test_a_folder_holds_one_run(quick_run: Path) -> None:
    with pytest.raises(UserError, match="already holds a run"):
        train(composed(quick_run, *QUICK))


def test_load_says_what_is_no_run(quick_run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run folder"):
        interp_by_design.load(tmp_path)
    with pytest.raises(UserError, match=r"No checkpoint 'middle' .* There: best, last"):
        interp_by_design.load(quick_run, checkpoint="middle")


def test_a_run_that_diverges_keeps_its_last_good_checkpoint(tmp_path: Path) -> None:
    config = composed(tmp_path / "run", "trainer.max_epochs=3", "learning.optimizer.lr=1e-3")
    OmegaConf.update(
        config,
        "learning.scheduler",
        {"_target_": "tests.run.test_training.exploding", "_partial_": True},
        merge=False,
    )
    with pytest.raises(UserError, match=r"The loss is not finite at step \d+ \(epoch 2\)"):
        train(config)
    model = interp_by_design.load(tmp_path / "run", checkpoint="best")
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())


def exploding(
    optimizer: torch.optim.Optimizer, total_steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """A learning rate that is harmless in the first of three epochs, and no number after that."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 1.0 if step <= total_steps / 3 else float("nan")
    )


@pytest.mark.slow
def test_the_default_experiment_keeps_its_claim(tmp_path: Path) -> None:
    scores = train(composed(tmp_path / "run"))
    assert scores["test/predictor_accuracy"] >= 0.97
    assert scores["test/interpreter_accuracy"] >= 0.97
    assert scores["test/fidelity"] >= 0.97
    assert scores["test/dead_attributes"] == 0
    assert (
        failed_gates({key.removeprefix("test/"): value for key, value in scores.items()}, 20) == []
    )


@pytest.mark.slow
@pytest.mark.parametrize("control", ["relabelled", "frozen_random"])
def test_controls_fail_the_scorecard(control: str, tmp_path: Path) -> None:
    scores = train(composed(tmp_path / "run", f"interpreter={control}"))
    failed = {
        gate.key
        for gate in failed_gates(
            {key.removeprefix("test/"): value for key, value in scores.items()}, 20
        )
    }
    if control == "relabelled":
        assert scores["test/fidelity"] > 0.99, "the cheat must look good, or it is no control"
        assert {"logit_predictability", "within_class_explained", "effect_agreement"} <= failed
    assert len(failed) >= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "option", ["trainer.precision=bf16-mixed", "trainer.gradient_clip_val=0.5"]
)
def test_options_of_training_change_the_way_and_not_the_outcome(
    option: str, tmp_path: Path, quick_scores: dict[str, float]
) -> None:
    other = train(composed(tmp_path / "other", *QUICK, option))
    assert other["train/seconds"] > 0
    assert other["test/predictor_accuracy"] == pytest.approx(
        quick_scores["test/predictor_accuracy"], abs=0.1
    )


@pytest.mark.slow
def test_classes_can_weigh_alike_or_as_given(tmp_path: Path) -> None:
    none_of_the_rest = f"learning.class_weights={[1, 1, *[0] * 8]}"
    scores = train(composed(tmp_path / "run", "trainer.max_epochs=6", none_of_the_rest))
    assert 0.15 < scores["test/predictor_accuracy"] < 0.25, "f has learnt two classes of ten"
    train(
        composed(tmp_path / "balanced", "trainer.max_epochs=1", "learning.class_weights=balanced")
    )
    with pytest.raises(
        UserError, match="class_weights must be null, balanced, or 10 finite numbers"
    ):
        train(composed(tmp_path / "wrong", "learning.class_weights=[1,2]"))
