"""Tests of the wandb logger offline, and without keys, server or service."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import wandb

from interp_by_design.callbacks import Wandb, guarded, summarise
from interp_by_design.terms import UnknownName
from tests.callbacks.wandb_runs import (
    ORIGIN,
    SCORES,
    records,
    run,
    services,
    values,
)

pytestmark = pytest.mark.usefixtures("isolated_wandb")


def test_offline_run_holds_config_history_and_summary(tmp_path: Path) -> None:
    guard = run(Wandb(tmp_path, offline=True, project="mine", tags=["first"]), range(5))
    assert not guard.failed
    found = records(tmp_path)
    [begun] = [record.run for record in found if record.HasField("run")]
    assert (begun.project, list(begun.tags), begun.run_id) == (
        "mine",
        ["first"],
        (tmp_path / "wandb" / "id").read_text(),
    )
    assert begun.display_name == "/".join(tmp_path.parts[-2:])
    config = values(update for record in found for update in record.config.update)
    assert config["seed"] == 3
    assert config["learning"] == {"beta": 0.5}
    assert config["origin"] == ORIGIN
    history = [values(record.history.item) for record in found if record.HasField("history")]
    assert [(row["trainer/global_step"], row["epoch"], row["train/loss"]) for row in history] == [
        (step, step // 2, 1 / (1 + step)) for step in range(5)
    ]
    summary: dict[str, Any] = {}
    for record in found:
        summary |= values(record.summary.update)
    assert summary["test/fidelity"] == 0.75
    assert summary["train/loss"] == 0.125
    assert [record.exit.exit_code for record in found if record.HasField("exit")] == [0]


def test_failed_run_has_exit_code_1(tmp_path: Path) -> None:
    run(Wandb(tmp_path, offline=True), range(2), status="failed")
    assert [record.exit.exit_code for record in records(tmp_path) if record.HasField("exit")] == [1]


def test_each_folder_is_a_run_and_a_resumed_one_keeps_its_id(tmp_path: Path) -> None:
    ids = []
    for folder in ("0", "1", "0"):
        run(Wandb(tmp_path / folder, offline=True), range(2))
        ids.append((tmp_path / folder / "wandb" / "id").read_text())
    assert ids[0] == ids[2] != ids[1]
    files = sorted(
        path.parent.parent.parent.name for path in tmp_path.glob("*/wandb/offline-run-*/*.wandb")
    )
    assert files == ["0", "0", "1"]


def test_run_without_api_key_is_offline_immediately(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start = time.monotonic()
    guard = run(Wandb(tmp_path), range(2))
    assert time.monotonic() - start < 8
    assert not guard.failed
    assert "no API key" in caplog.text
    assert f"wandb sync {tmp_path}/wandb/offline-run-*-" in caplog.text
    assert sum(record.HasField("history") for record in records(tmp_path)) == 2


def test_run_without_server_is_offline_after_the_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.setenv("WANDB_HTTP_TIMEOUT", "1")  # seconds, of 10
    guard = run(Wandb(tmp_path), range(2))
    assert not guard.failed
    assert "wandb is not reached" in caplog.text
    assert sum(record.HasField("history") for record in records(tmp_path)) == 2


def test_wandb_disabled_by_its_variable_stays_disabled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert not run(Wandb(tmp_path), range(2)).failed
    assert not list(tmp_path.glob("wandb/*run-*"))


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="finds wandb's process as Linux shows it"
)
def test_ended_service_fails_the_logger_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logger = Wandb(tmp_path, offline=True, settings={"console": "off"})
    [guard] = guarded({"wandb": logger})
    guard.log_metrics({"train/loss": 1.0}, 0)
    for process in services():
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    for step in range(1, 200):
        guard.log_metrics({"train/loss": 1.0}, step)
        time.sleep(0 if guard.failed else 0.02)
    summarise([guard], SCORES)
    assert caplog.text.count("The logger wandb failed") == 1
    with pytest.raises(ConnectionError):  # wandb does the same when Python ends
        wandb.teardown()


def test_unknown_options_are_refused_at_construction(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'project'"):
        Wandb(tmp_path, projct="mine")
