"""The wandb logger without a network: files, and missing keys, servers and processes."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wandb
from matplotlib.figure import Figure
from PIL import Image
from pytorch_lightning.loggers import WandbLogger
from wandb.proto.wandb_internal_pb2 import Record

from interp_by_design.callbacks import Guarded, Wandb, announce, guarded, summarise
from interp_by_design.callbacks.loggers import Drawing, Sheet, publish
from interp_by_design.callbacks.loggers.wandb import leave_service
from interp_by_design.run import train
from interp_by_design.terms import UnknownName
from tests.small import composed_drawing

CONFIG = {"seed": 3, "learning": {"beta": 0.5}}
ORIGIN = {"revision": "abc123+", "versions": {"torch": "2.15"}}
SCORES = {"test/fidelity": 0.75, "train/loss": 0.125}


@pytest.fixture(autouse=True)
def _wandb_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings or keys of this machine's user, and no process of wandb's afterwards."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / "settings" / name))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    leave_service()
    yield
    if (
        wandb.run is not None
    ):  # else it would go on to write down what later tests print, by a process that has ended
        with suppress(Exception):
            wandb.finish()
    leave_service()
    for process in services():  # one that did not end, as happens now and then
        os.kill(process, signal.SIGKILL)


def run(logger: Wandb, steps: range, *, status: str = "success") -> Guarded:
    """What a run of Lightning asks of a logger, in its order."""
    [guard] = guarded({"wandb": logger})
    assert isinstance(guard, Guarded)
    announce([guard], CONFIG, ORIGIN)
    for step in steps:
        guard.log_metrics({"train/loss": 1 / (1 + step), "epoch": step // 2}, step)
        guard.save()
    guard.finalize(status)
    if status == "success":
        summarise([guard], SCORES)
    return guard


def records(folder: Path) -> list[Record]:
    """Records of the one offline run in a folder, a LevelDB log in blocks of 32 KiB."""
    if wandb.run is not None:
        wandb.finish()  # Lightning's own logger leaves its run open
    wandb.teardown()  # waits until wandb's process has written
    [file] = folder.glob("wandb/offline-run-*/*.wandb")
    data, at, found, whole = file.read_bytes(), 7, [], b""  # 7: the file's own header
    while at < len(data):
        if 32768 - at % 32768 < 7:  # too little left of a block for a chunk's header
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or the last chunk of one
            found.append(Record.FromString(whole))
            whole = b""
    return found


def values(items: Any) -> dict[str, Any]:
    return {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}


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


SHEET = Sheet(
    "attributes/table", ("attribute", "name", "share"), (("φ0", "loop", 0.25), ("φ1", None, 1.0))
)


def drawing(key: str) -> Drawing:
    return Drawing.from_figure(
        key, f"what {key} shows", Figure(figsize=(2, 1), dpi=50, facecolor="#0000ff")
    )


def history(folder: Path) -> list[dict[str, Any]]:
    return [nested(record.history.item) for record in records(folder) if record.HasField("history")]


def nested(items: Any) -> dict[str, Any]:
    """The values, with images and tables as nested dictionaries."""
    found: dict[str, Any] = {}
    for item in items:
        *path, last = item.nested_key or [item.key]
        inner = found
        for key in path:
            inner = inner.setdefault(key, {})
        inner[last] = json.loads(item.value_json)
    return found


def kept(folder: Path, path: str) -> Path:
    [file] = folder.glob(f"wandb/offline-run-*/files/{path}")
    return file


@pytest.mark.parametrize(
    "make", [Wandb, lambda folder, **options: WandbLogger(save_dir=folder, **options)]
)
def test_figures_and_tables_are_in_the_history_at_their_steps(tmp_path: Path, make: Any) -> None:
    [guard] = guarded({"wandb": make(tmp_path, offline=True)})
    for step in (4, 9):
        guard.log_metrics({"val/fidelity": 0.5}, step)
        publish(guard, [drawing("attributes/usage"), drawing("attributes/drift"), SHEET], step)
    assert not guard.failed
    summarise([guard], SCORES)
    found = history(tmp_path)
    for key in ("attributes/usage", "attributes/drift"):
        shown = [(row["trainer/global_step"], row[key]) for row in found if key in row]
        assert [step for step, _ in shown] == [4, 9]
        for _, image in shown:
            image = image["images"][0] if "images" in image else image  # Lightning's logs a list
            caption = image.get("caption") or shown[0][1]["captions"][0]
            assert caption == f"what {key} shows"
        file = shown[1][1].get("path") or shown[1][1]["filenames"][0]
        with Image.open(kept(tmp_path, file)) as image:
            assert (np.asarray(image.convert("RGB")) == np.array([0, 0, 255])).all()
            assert image.size == (100, 50)
    tables = [
        (row["trainer/global_step"], row["attributes/table"])
        for row in found
        if "attributes/table" in row
    ]
    assert [step for step, _ in tables] == [4, 9]
    assert {entry["_type"] for _, entry in tables} == {"table-file"}
    table = json.loads(kept(tmp_path, tables[1][1]["path"]).read_text())
    assert table == {
        "columns": ["attribute", "name", "share"],
        "data": [["φ0", "loop", 0.25], ["φ1", None, 1.0]],
    }


def test_figures_of_an_epoch_are_one_row(tmp_path: Path) -> None:
    [guard] = guarded({"wandb": Wandb(tmp_path, offline=True)})
    publish(guard, [drawing(f"explanations/image_{i}") for i in range(8)], 3)
    summarise([guard], SCORES)
    [row] = history(tmp_path)
    assert len([key for key in row if key.startswith("explanations/")]) == 8


@pytest.mark.parametrize(
    "make", [Wandb, lambda folder, **options: WandbLogger(save_dir=folder, **options)]
)
@pytest.mark.parametrize("panel", [True, False])
def test_the_page_is_an_artifact_and_a_small_one_a_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, panel: bool
) -> None:
    monkeypatch.setattr(
        "interp_by_design.callbacks.loggers.media.MAX_PANEL_BYTES", 100 if panel else 10
    )
    page = tmp_path / "report.html"
    page.write_text("<!doctype html><title>a run</title>")
    [guard] = guarded({"wandb": make(tmp_path, offline=True)})
    guard.log_page(page)
    assert not guard.failed
    summarise([guard], SCORES)
    found = records(tmp_path)
    artifacts = [record.artifact for record in found if record.HasField("artifact")]
    artifacts += [
        record.request.log_artifact.artifact
        for record in found
        if record.request.HasField("log_artifact")
    ]
    [artifact] = [artifact for artifact in artifacts if artifact.type == "report"]
    [entry] = artifact.manifest.contents
    assert (entry.path, entry.size) == ("report.html", page.stat().st_size)
    assert Path(entry.local_path).read_text() == page.read_text()
    rows = [row["report/page"] for row in history(tmp_path) if "report/page" in row]
    assert len(rows) == panel
    for row in rows:
        assert kept(tmp_path, row["path"]).read_text() == page.read_text()


def test_a_whole_run_with_all_that_it_shows(tmp_path: Path) -> None:
    """By the options of the command line, read back from the run's own file."""
    quick = [
        "callbacks.explanations.every=1",
        "callbacks.drift.every=1",
        "callbacks.report.maximize=false",
    ]
    folder = tmp_path / "run"
    scores = train(composed_drawing(folder, "trainer.max_epochs=2", "logger=wandb_offline", *quick))
    found = history(folder)

    def steps(key: str) -> list[int]:
        return [row["trainer/global_step"] for row in found if key in row]

    epochs = steps("val/fidelity")
    images = sorted({key for row in found for key in row if key.startswith("explanations/")})
    assert len(images) == 8
    assert all(steps(key) == epochs for key in images)
    assert (
        steps("attributes/drift")
        == steps("attributes/usage")
        == steps("attributes/table")
        == epochs[-1:]
    )
    assert {
        step
        for key in ("report/usage", "report/attributes", "report/relevance")
        for step in steps(key)
    } == set(epochs[-1:])
    shown = [row[images[0]] for row in found if images[0] in row][-1]
    filed = folder / f"figures/training/epoch_0002/{images[0]}.png"
    with Image.open(kept(folder, shown["path"])) as logged, Image.open(filed) as drawn:
        assert (np.asarray(logged.convert("RGB")) == np.asarray(drawn.convert("RGB"))).all()
    summary: dict[str, Any] = {}
    for record in records(folder):
        summary |= nested(record.summary.update)
    assert {key: summary[key] for key in scores} == pytest.approx(scores)
    [page] = [
        record.artifact for record in records(folder) if record.artifact.type == "report"
    ] or [
        record.request.log_artifact.artifact
        for record in records(folder)
        if record.request.log_artifact.artifact.type == "report"
    ]
    assert page.manifest.contents[0].size == (folder / "report.html").stat().st_size


def test_a_run_that_failed_is_closed_and_says_so(tmp_path: Path) -> None:
    run(Wandb(tmp_path, offline=True), range(2), status="failed")
    assert [record.exit.exit_code for record in records(tmp_path) if record.HasField("exit")] == [1]


def test_each_job_is_a_run_of_its_own_and_a_resumed_one_the_same_again(tmp_path: Path) -> None:
    ids = []
    for folder in ("0", "1", "0"):
        run(Wandb(tmp_path / folder, offline=True), range(2))
        ids.append((tmp_path / folder / "wandb" / "id").read_text())
    assert ids[0] == ids[2] != ids[1]
    files = sorted(
        path.parent.parent.parent.name for path in tmp_path.glob("*/wandb/offline-run-*/*.wandb")
    )
    assert files == ["0", "0", "1"]


def test_without_an_api_key_the_run_is_offline_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start = time.monotonic()
    guard = run(Wandb(tmp_path), range(2))
    assert time.monotonic() - start < 8
    assert not guard.failed
    assert "no API key" in caplog.text
    assert f"wandb sync {tmp_path}/wandb/offline-run-*-" in caplog.text
    assert sum(record.HasField("history") for record in records(tmp_path)) == 2


def test_without_a_server_the_run_is_offline_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.setenv("WANDB_HTTP_TIMEOUT", "1")  # seconds, of 10
    guard = run(Wandb(tmp_path), range(2))
    assert not guard.failed
    assert "wandb is not reached" in caplog.text
    assert sum(record.HasField("history") for record in records(tmp_path)) == 2


def test_wandb_turned_off_by_its_own_variable_stays_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert not run(Wandb(tmp_path), range(2)).failed
    assert not list(tmp_path.glob("wandb/*run-*"))


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="finds wandb's process as Linux shows it"
)
def test_a_service_that_dies_costs_wandb_alone(
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
    with pytest.raises(
        ConnectionError
    ):  # as wandb itself does when Python ends, which alters nothing
        wandb.teardown()


def services() -> list[int]:
    """The processes of wandb that this one has started."""
    parent = os.getpid()
    stats = [file.read_text() for file in Path("/proc").glob("[0-9]*/stat")]
    parts = [
        (stat.partition(" (")[0], *stat.partition(" (")[2].rpartition(") ")[::2]) for stat in stats
    ]
    return [
        int(number)
        for number, name, rest in parts
        if name.startswith("wandb") and int(rest.split()[1]) == parent
    ]


def test_unknown_options_are_refused_at_construction(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'project'"):
        Wandb(tmp_path, projct="mine")
