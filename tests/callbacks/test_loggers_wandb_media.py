"""Tests of the figures, tables and pages that the wandb logger writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytorch_lightning.loggers import WandbLogger

from interp_by_design.callbacks import Wandb, guarded, summarise
from interp_by_design.callbacks.loggers import Sheet, publish
from interp_by_design.run import train
from tests.callbacks.wandb_runs import (
    SCORES,
    drawing,
    history,
    kept,
    nested,
    records,
)
from tests.small import composed_drawing

pytestmark = pytest.mark.usefixtures("isolated_wandb")

SHEET = Sheet(
    "attributes/table", ("attribute", "name", "share"), (("φ0", "loop", 0.25), ("φ1", None, 1.0))
)


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
def test_page_is_an_artifact_and_a_small_one_also_a_panel(
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


@pytest.mark.slow
def test_run_logs_figures_summary_and_page(tmp_path: Path) -> None:
    quick = [
        "callbacks.explanations.every=1",
        "callbacks.drift.every=1",
        "callbacks.report.maximize=false",
    ]
    folder = tmp_path / "run"
    scores = train(composed_drawing(folder, "trainer.max_epochs=2", "logger=wandb_offline", *quick))
    _check_figures(folder)
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


def _check_figures(folder: Path) -> None:
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
