"""The report at the end of a run: written once, passed to loggers, never at the cost of scores."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from interp_by_design.run import train
from interp_by_design.terms import UserError
from tests.small import composed_drawing

OFF = [
    f"callbacks.{name}=null"
    for name in ("explanations", "relevance_map", "usage", "drift", "attribute_sheets")
]
QUICK = ["trainer.max_epochs=1", "callbacks.report.maximize=false", "callbacks.report.samples=5"]
WRITE = "interp_by_design.run.reporting.write_report"


def page_of(*given: Any) -> Path:
    """In the place of the report: a page of one line."""
    page = Path(given[0]) / "report.html"
    page.write_text(f"<!doctype html><title>{given[4].title}</title>")
    return page


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        WRITE, lambda *given: found.append((*given, given[1].training)) or page_of(*given)
    )
    return found


def test_a_run_is_reported_once_it_has_its_numbers(
    tmp_path: Path, calls: list[tuple[Any, ...]]
) -> None:
    scores = train(composed_drawing(tmp_path / "run", *QUICK, *OFF, "callbacks.report.tau=3"))
    [(folder, model, splits, tables, about, options, training)] = calls
    assert folder == tmp_path / "run"
    assert about.scores == scores == json.loads((folder / "metrics.json").read_text())
    assert about.title == "test: run"
    assert "max_epochs: 1" in about.config_yaml
    assert about.provenance["data"]["hash"]
    assert (options.split, options.samples, options.maximize, options.tau) == ("test", 5, False, 3)
    assert not training
    for split in ("train", "val", "test"):
        assert torch.equal(splits[split].labels[tables[split].indices], tables[split].labels)
        assert (folder / "tables" / split / "table.json").is_file()
    assert model.interpreter.head.weights.equal(tables["test"].head_weights), (
        "of the checkpoint that was evaluated"
    )


@pytest.mark.slow
def test_loggers_receive_page_figures_and_tables_before_they_close(tmp_path: Path) -> None:
    train(composed_drawing(tmp_path / "run", *QUICK, *OFF, "logger=tensorboard"))
    found = EventAccumulator(
        str(tmp_path / "run/tensorboard"), size_guidance={"images": 0, "tensors": 0}
    )
    found.Reload()
    rows = csv.DictReader((tmp_path / "run/csv/metrics.csv").read_text().splitlines())
    last = max(int(row["step"]) for row in rows)
    assert {"report/relevance_map", "report/usage", "report/attribute_000"} <= set(
        found.Tags()["images"]
    )
    assert [image.step for image in found.Images("report/usage")] == [last]
    assert {f"report/{name}/text_summary" for name in ("page", "attributes", "relevance")} <= set(
        found.Tags()["tensors"]
    )
    assert (tmp_path / "run/report.html").stat().st_size > 100_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "error", [RuntimeError("no font"), UserError("no font"), OSError(28, "No space left on device")]
)
def test_a_failing_report_keeps_the_scores(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    def fail(*given: Any) -> Path:
        raise error

    monkeypatch.setattr(WRITE, fail)
    scores = train(composed_drawing(tmp_path / "run", *QUICK, *OFF))
    assert json.loads((tmp_path / "run/metrics.json").read_text()) == scores
    assert "The report is not done (" in caplog.text
    assert f"interp report {tmp_path / 'run'}" in caplog.text


@pytest.mark.slow
def test_an_interrupted_report_leaves_the_scores_on_the_dashboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: Any) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(WRITE, interrupted)
    with pytest.raises(SystemExit):
        train(composed_drawing(tmp_path / "run", *QUICK, *OFF, "logger=tensorboard"))
    assert (tmp_path / "run/metrics.json").is_file()
    found = EventAccumulator(str(tmp_path / "run/tensorboard"))
    found.Reload()
    assert "scorecard/test/fidelity" in found.Tags()["scalars"]


def test_a_run_without_a_report(tmp_path: Path, calls: list[tuple[Any, ...]]) -> None:
    train(composed_drawing(tmp_path / "run", *QUICK[:1], *OFF, "callbacks.report=null"))
    assert not calls
    assert not (tmp_path / "run/figures").exists()


@pytest.mark.slow
def test_tables_that_cannot_be_written_are_logged_and_the_run_is_evaluated(
    tmp_path: Path,
    calls: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from interp_by_design.api import tables_of

    def full(model: Any, data: Any, folder: Path | None = None) -> Any:
        if folder is not None:
            raise UserError("tables/train could not be written: No space left on device.")
        return tables_of(model, data)

    monkeypatch.setattr("interp_by_design.run.results.tables_of", full)
    scores = train(composed_drawing(tmp_path / "run", *QUICK, *OFF))
    assert scores["test/fidelity"] > 0
    assert "No space left on device. The run continues without saved tables." in caplog.text
    assert len(calls) == 1
