"""A run that was stopped or killed resumes, and ends with the numbers of an unbroken one."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig

from interp_by_design.callbacks import Throughput
from interp_by_design.run import train
from interp_by_design.run.folder import RunFolder
from interp_by_design.terms import UserError
from tests.small import composed

KILLS = 20
TIMINGS = {"train/seconds", "train/images_per_second"}
# Everything that draws or has a state: dropout, augmentation, a learning rate that moves, steps
# that gather gradients.
EVENTFUL = [
    "trainer.max_epochs=4",
    "trainer.accumulate_grad_batches=2",
    "trainer.log_every_n_steps=3",
    "predictor.network.dropout=0.3",
    "data.augmentation={_target_: interp_by_design.data.RandomShift, pixels: 1}",
    "data.batch_size=128",
    "callbacks.last.minutes=1e-9",  # a checkpoint wherever there may be one
    "threads=1",
]


def config_of(folder: Path, *overrides: str) -> DictConfig:
    return composed(folder, *EVENTFUL, *overrides)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    train(config_of(folder))
    return folder


def assert_same_run(found: Path, expected: Path) -> None:
    scores, wanted = (json.loads((run / "metrics.json").read_text()) for run in (found, expected))
    assert {key: value for key, value in scores.items() if key not in TIMINGS} == {
        key: value for key, value in wanted.items() if key not in TIMINGS
    }
    assert rows(found) == rows(expected)
    states = [
        torch.load(run / "checkpoints/last.ckpt", weights_only=True) for run in (found, expected)
    ]
    assert all(
        torch.equal(value, states[1]["state_dict"][key])
        for key, value in states[0]["state_dict"].items()
    )
    assert states[0]["lr_schedulers"] == states[1]["lr_schedulers"]


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "csv/metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_runs_killed_at_twenty_random_points_end_with_the_same_numbers(
    unbroken: Path, tmp_path: Path
) -> None:
    draw, start = random.Random(0), time.monotonic()
    finish(begin(tmp_path / "whole"))
    whole = time.monotonic() - start
    assert_same_run(tmp_path / "whole", unbroken)
    kills, folder = 0, tmp_path / "after 0 kills"
    while kills < KILLS:
        process = begin(folder)
        process.join(draw.uniform(0.1, 0.5) * whole)
        process.kill()
        process.join()
        kills += process.exitcode != 0
        if process.exitcode == 0:  # it was done before: the next one, with less time
            assert_same_run(folder, unbroken)
            folder, whole = tmp_path / f"after {kills} kills and {whole} s", 0.8 * whole
    finish(begin(folder))
    assert_same_run(folder, unbroken)


def begin(folder: Path) -> BaseProcess:
    """A process that trains or resumes, forked from a server that has imported torch already."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["interp_by_design.run.training"])
    process = server.Process(target=run_or_resume, args=(str(folder),))
    process.start()
    return process


def run_or_resume(folder: str) -> None:
    claimed = RunFolder(folder).is_claimed
    train(config_of(Path(folder), *([f"resume={folder}"] if claimed else [])))


def finish(process: BaseProcess) -> None:
    process.join()
    assert process.exitcode == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_a_checkpoint_and_says_how_to_resume(
    number: signal.Signals, unbroken: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Throughput,
            "on_train_batch_start",
            lambda *args: os.kill(os.getpid(), number) if args[-1] == 3 else None,
        )
        with pytest.raises(SystemExit) as stopped:
            train(config_of(folder))
    assert stopped.value.code == 128 + number
    assert f"resume={folder}" in caplog.text
    assert handlers == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    assert not (folder / "metrics.json").exists()
    train(config_of(folder, f"resume={folder}"))
    assert_same_run(folder, unbroken)


def test_a_changed_configuration_is_refused_with_its_keys(unbroken: Path) -> None:
    with pytest.raises(
        UserError, match=r"changes seed: 0 → 1; data\.batch_size: 128 → 32\. Leave that out"
    ):
        train(config_of(unbroken, f"resume={unbroken}", "seed=1", "data.batch_size=32"))


def test_a_finished_run_gives_its_numbers_again(unbroken: Path) -> None:
    before = (unbroken / "metrics.json").stat().st_mtime_ns
    assert train(config_of(unbroken, f"resume={unbroken}")) == json.loads(
        (unbroken / "metrics.json").read_text()
    )
    assert (unbroken / "metrics.json").stat().st_mtime_ns == before


def test_a_run_that_is_evaluated_again_trains_no_more(unbroken: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(unbroken, folder)
    (folder / "metrics.json").unlink()  # as if killed while it was evaluated
    train(config_of(folder, f"resume={folder}"))
    assert_same_run(folder, unbroken)


def test_what_is_no_run_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run was ever begun there"):
        train(config_of(tmp_path / "run", f"resume={tmp_path / 'nowhere'}"))


def test_other_data_under_the_same_configuration_is_refused(unbroken: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(unbroken, folder)
    (folder / "metrics.json").unlink()
    provenance = json.loads((folder / "provenance.json").read_text())
    provenance["data"]["hash"] = "0" * 64
    (folder / "provenance.json").write_text(json.dumps(provenance))
    with pytest.raises(UserError, match="The data is not what"):
        train(config_of(folder, f"resume={folder}"))


def test_a_folder_in_which_no_run_was_begun_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match="no run was ever begun there"):
        train(config_of(tmp_path / "run", f"resume={tmp_path / 'photos'}"))
    assert not list((tmp_path / "photos").iterdir())


@pytest.mark.slow
def test_a_run_that_had_not_begun_to_write_starts_in_its_own_folder(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run").locked():
        pass
    train(config_of(tmp_path / "elsewhere", f"resume={tmp_path / 'run'}", "trainer.max_epochs=1"))
    assert (tmp_path / "run/metrics.json").is_file()
    assert not (tmp_path / "elsewhere").exists()


def test_a_run_that_lost_its_provenance_is_not_resumed(unbroken: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(unbroken, folder)
    (folder / "provenance.json").unlink()
    with pytest.raises(UserError, match=r"is not a run folder: it lacks provenance\.json"):
        train(config_of(folder, f"resume={folder}"))


def test_a_checkpoint_of_another_model_is_reported(unbroken: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train(config_of(folder, "predictor.network.width=16", "trainer.max_epochs=1"))
    (folder / "metrics.json").unlink()
    shutil.copy(unbroken / "checkpoints/last.ckpt", folder / "checkpoints/last.ckpt")
    with pytest.raises(
        UserError,
        match="holds the weights of another model than the config builds: of another shape",
    ):
        train(
            config_of(
                folder, "predictor.network.width=16", "trainer.max_epochs=1", f"resume={folder}"
            )
        )


def test_a_run_in_use_is_left_alone(tmp_path: Path) -> None:
    with RunFolder(tmp_path).locked(), pytest.raises(UserError, match="in use by another process"):
        train(config_of(tmp_path))


@pytest.mark.slow
def test_early_stopping_holds_across_a_resume(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    config = config_of(
        folder,
        "callbacks=early_stopping",
        "callbacks.early_stopping.patience=1",
        "learning.optimizer.lr=1e-9",
    )
    train(config)
    stopped_at = rows(folder)[-1]["epoch"]
    assert int(stopped_at) < 3
    (folder / "metrics.json").unlink()
    config.resume = str(folder)
    train(config)
    assert rows(folder)[-1]["epoch"] == stopped_at
