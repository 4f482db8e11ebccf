"""`interp evaluate`: negative controls, cached and invalidated, and an updated metrics.json."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from interp_by_design import cli
from interp_by_design.api import evaluation, fitted_controls
from interp_by_design.commands.report import report_run
from interp_by_design.report.options import ReportOptions
from interp_by_design.run import control_scores
from interp_by_design.run import evaluation as run_evaluation
from interp_by_design.run.control_scores import FILE
from interp_by_design.run.evaluation import (
    EvaluateOptions,
    evaluate_run,
    scores_of_controls,
)
from interp_by_design.run.saved_run import open_run
from interp_by_design.terms import UserError

Printed = pytest.CaptureFixture[str]
Logged = pytest.LogCaptureFixture
CHEAT = {
    "fidelity": 1.0,
    "within_class_explained": 0.001,
    "logit_predictability": 0.99,
    "sufficiency@5": 1.0,
}
RANDOM = {
    "fidelity": 0.7,
    "within_class_explained": 0.1,
    "logit_predictability": 0.5,
    "sufficiency@5": 0.7,
}
KNOWN = {"relabelled": CHEAT, "frozen_random": RANDOM}


class Fits:
    """Stands for the fit of controls; counts how often it is asked for."""

    def __init__(self, scores: dict[str, dict[str, float]]) -> None:
        self.scores, self.times, self.ends_with = scores, 0, None

    def __call__(self, *_: Any) -> dict[str, SimpleNamespace]:
        self.times += 1
        if self.ends_with is not None:
            raise self.ends_with
        return {name: SimpleNamespace(scores=of) for name, of in self.scores.items()}

    ends_with: BaseException | None


@pytest.fixture(autouse=True)
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MIN_IMAGES", 20)
    monkeypatch.setattr(evaluation, "MAX_IMAGES", 20)


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    made = Fits(KNOWN)
    monkeypatch.setattr(run_evaluation, "fitted_controls", made)
    return made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, trained_run: Path) -> dict[str, float]:
    """The run's own scores without computing them."""
    scores = {
        key: value
        for key, value in json.loads((trained_run / "metrics.json").read_text()).items()
        if "train/" not in key
    }
    scores["test/fidelity"] = 0.98765
    monkeypatch.setattr(run_evaluation, "own_scores", lambda run: dict(scores))
    return scores


@pytest.fixture
def interp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def command(*arguments: object, code: int = 0) -> None:
        monkeypatch.setattr("sys.argv", ["/bin/interp", *map(str, arguments)])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        if not code:
            cli.main()
            return
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == code

    level = logging.getLogger("interp_by_design").level
    yield command
    logging.getLogger("interp_by_design").setLevel(level)


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


# ---------------------------------------------------------------------- controls
def test_a_runs_own_controls_are_fitted_kept_and_shown(
    finished_run: Path, quick: dict[str, float], monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    fitted: dict[str, Any] = {}
    monkeypatch.setattr(
        run_evaluation,
        "fitted_controls",
        lambda *given: fitted.update(fitted_controls(*given)) or fitted,
    )
    evaluate_run(open_run(finished_run))
    text = capsys.readouterr().out
    assert all(word in text for word in ("relabelled", "random Ψ", "The relabelled control fails"))
    found = json.loads((finished_run / FILE).read_text())["test"]
    assert found == {name: control.scores for name, control in fitted.items()}
    assert found["relabelled"]["fidelity"] > 0.99


def test_kept_ones_are_read_until_a_refit_is_asked_for(finished_run: Path, fits: Fits) -> None:
    assert scores_of_controls(open_run(finished_run)) == KNOWN
    assert scores_of_controls(open_run(finished_run)) == KNOWN
    assert fits.times == 1
    fits.scores = {"relabelled": RANDOM, "frozen_random": CHEAT}
    assert scores_of_controls(open_run(finished_run), refit=True)["relabelled"] == RANDOM
    assert scores_of_controls(open_run(finished_run))["relabelled"] == RANDOM
    assert fits.times == 2


def test_other_weights_another_scorecard_and_other_settings_want_other_controls(
    finished_run: Path, fits: Fits, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run(finished_run)
    scores_of_controls(run)
    with torch.no_grad():
        next(run.model.predictor.network.parameters()).add_(1e-3)
    scores_of_controls(run)
    assert fits.times == 2
    monkeypatch.setattr("interp_by_design.run.control_scores.VERSION", 99)
    scores_of_controls(run)
    assert fits.times == 3
    assert run.model.spec is not None
    run.model.spec.attributes["k"] = 1
    scores_of_controls(run)
    assert fits.times == 4
    scores_of_controls(run)
    assert fits.times == 4


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        '{"belongs_to": "HASH"}',
        '{"belongs_to": "HASH", "test": {"relabelled": {}}}',
        '{"belongs_to": "HASH", "test": {"relabelled": {"fidelity": NaN}, "frozen_random": {}}}',
        '{"belongs_to": "HASH", "test": {"relabelled": {"fidelity": "1"}, "frozen_random": {}}}',
        '{"belongs_to": "HASH", "test": {"relabelled": 3, "frozen_random": {}}}',
    ],
)
def test_a_damaged_file_is_reported_and_written_again(
    damage: str, finished_run: Path, fits: Fits, caplog: Logged
) -> None:
    run = open_run(finished_run)
    key = control_scores.cache_key(run.folder, run.model, run.seed)
    (finished_run / FILE).write_text(damage.replace("HASH", key))
    assert scores_of_controls(run) == KNOWN
    assert f"{FILE} is damaged" in caplog.text
    assert control_scores.load(run.folder, key) == KNOWN


def test_where_they_cannot_be_kept_they_are_shown_all_the_same(
    finished_run: Path, fits: Fits, quick: dict[str, float], caplog: Logged, capsys: Printed
) -> None:
    (finished_run / FILE).mkdir()  # as a disk that is full, or a folder that is another's
    evaluate_run(open_run(finished_run))
    assert "could not be written" in caplog.text
    assert "are shown, and not saved" in caplog.text
    assert "random Ψ" in capsys.readouterr().out
    assert not any("writing" in name for name in names(finished_run))


def test_ctrl_c_leaves_no_half_file(
    finished_run: Path, fits: Fits, quick: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = names(finished_run)
    fits.ends_with = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        evaluate_run(open_run(finished_run))
    fits.ends_with = None

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)  # in the middle of writing
    with pytest.raises(KeyboardInterrupt):
        evaluate_run(open_run(finished_run))
    assert names(finished_run) == before


def test_where_they_cannot_be_fitted_the_scores_are_shown_without(
    finished_run: Path, fits: Fits, quick: dict[str, float], caplog: Logged, capsys: Printed
) -> None:
    fits.ends_with = UserError("no parts")
    evaluate_run(open_run(finished_run))
    assert "The controls cannot be fitted, and are left out: no parts" in caplog.text
    text = capsys.readouterr().out
    assert "0.9877" in text
    assert "random Ψ" not in text


def test_of_another_checkpoint_they_are_fitted_and_not_kept(finished_run: Path, fits: Fits) -> None:
    scores_of_controls(open_run(finished_run, checkpoint="last"))  # digits evaluates the best
    own = open_run(finished_run).settings["checkpoint"] == "last"
    assert (FILE in names(finished_run)) == own
    other = "best" if own else "last"
    before = names(finished_run)
    scores_of_controls(open_run(finished_run, checkpoint=other), refit=True)
    assert names(finished_run) == before


def test_next_to_other_images_they_are_left_out_with_a_message(
    finished_run: Path, fits: Fits, tmp_path: Path, caplog: Logged, capsys: Printed
) -> None:
    (tmp_path / "images/3").mkdir(parents=True)
    Image.new("L", (8, 8), 90).save(tmp_path / "images/3/a.png")
    with caplog.at_level(logging.INFO, "interp_by_design"):
        evaluate_run(open_run(finished_run), tmp_path / "images")
    assert "they are left out next to the scores of other images" in caplog.text
    assert fits.times == 0
    assert "random Ψ" not in capsys.readouterr().out


def test_the_report_shows_them_where_they_are_the_models(
    finished_run: Path, fits: Fits, caplog: Logged
) -> None:
    options = ReportOptions(samples=2, starts=1, maximize=False, figures=False)
    page = report_run(open_run(finished_run), options).read_text()
    assert "random Ψ" not in page
    scores_of_controls(open_run(finished_run))
    page = report_run(open_run(finished_run), options).read_text()
    assert '<th scope="col" class="number">random Ψ</th>' in page
    assert (
        "the random Ψ control fails 3 gates: fidelity, within_class_explained, sufficiency@5"
        in page
    )
    (finished_run / FILE).write_text(
        (finished_run / FILE).read_text().replace('"belongs_to": "', '"belongs_to": "0')
    )
    assert "random Ψ" not in report_run(open_run(finished_run), options).read_text()


# ---------------------------------------------------------------------- --write
def test_write_brings_metrics_up_to_date_and_keeps_what_is_of_the_training(
    finished_run: Path,
    interp: Callable[..., None],
    quick: dict[str, float],
    fits: Fits,
    caplog: Logged,
) -> None:
    before = json.loads((finished_run / "metrics.json").read_text())
    (finished_run / "metrics.json").write_text(
        json.dumps(before | {"test/of_an_old_scorecard": 0.5})
    )
    interp("evaluate", finished_run, "--write", "--no-controls")
    after = json.loads((finished_run / "metrics.json").read_text())
    assert after == quick | {
        key: value for key, value in before.items() if key.startswith("train/")
    }
    assert after["train/seconds"] == before["train/seconds"]
    assert fits.times == 0
    assert f"interp report {finished_run} writes its page again" in caplog.text


def test_without_write_metrics_stay_as_they_are(
    finished_run: Path, interp: Callable[..., None], quick: dict[str, float], fits: Fits
) -> None:
    before = (finished_run / "metrics.json").read_bytes()
    interp("evaluate", finished_run)
    interp("evaluate", finished_run, "--refit-controls")
    assert fits.times == 2
    assert (finished_run / "metrics.json").read_bytes() == before


def test_what_the_run_did_not_evaluate_is_not_written(
    finished_run: Path,
    interp: Callable[..., None],
    quick: dict[str, float],
    tmp_path: Path,
    capsys: Printed,
) -> None:
    before = (finished_run / "metrics.json").read_bytes()
    run = open_run(finished_run)
    other = "best" if run.settings["checkpoint"] == "last" else "last"
    for options in (
        ["--checkpoint", other],
        ["--data", tmp_path],
        ["--data", "data.validation=100"],
    ):
        interp("evaluate", finished_run, "--write", *options, code=1)
        assert (
            "holds the numbers of the checkpoint and the data that the run evaluated"
            in capsys.readouterr().err
        )
    assert (finished_run / "metrics.json").read_bytes() == before


def test_a_run_that_another_process_writes_is_left_alone(
    finished_run: Path, quick: dict[str, float], fits: Fits
) -> None:
    run = open_run(finished_run)
    before = (finished_run / "metrics.json").read_bytes()
    with run.folder.locked(), pytest.raises(UserError, match="in use by another process"):
        evaluate_run(run, options=EvaluateOptions(write=True))
    assert (finished_run / "metrics.json").read_bytes() == before
