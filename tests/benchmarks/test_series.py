"""The series: its planned runs, the runs that it skips, and that f alone really is alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from benchmarks import seeds, series
from benchmarks.runs import UNDRAWN, read, setting_of
from benchmarks.series import Options, Planned, made, named, planned
from benchmarks.tracks import BARE, CONTROLS, GROUPS, Group, bare
from interp_by_design.commands.compare import compare_runs
from interp_by_design.run import load, train
from interp_by_design.run.build import build_model
from interp_by_design.run.folder import RunFolder
from interp_by_design.run.seed_stability import SeedScores
from interp_by_design.terms import UnknownName, UserError
from tests.small import UNDRAWN as SMALL_UNDRAWN
from tests.small import composed

SMALL = ("trainer.max_epochs=1", "predictor.network.width=16", "attributes.n_attributes=8")
DIGITS = Group("digits", "digits", "", controls=True)
EXPERIMENTS = [
    group.setting
    for group in GROUPS
    if group.bare and (series.EXPERIMENTS / f"{group.setting}.yaml").is_file()
]


Printed = pytest.CaptureFixture[str]


def printed(capsys: Printed) -> str:
    return capsys.readouterr().out


def options(out: Path, n: int = 2, **more: object) -> Options:
    return Options(n, 1, out, **({"roots": {}} | more))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------ f alone
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_f_alone_has_no_term_but_the_prediction(experiment: str, tmp_path: Path) -> None:
    config = composed(tmp_path, f"experiment={experiment}", *BARE)
    factors = instantiate(config.learning.objective).factors
    for epoch in (1.0, 3.5, 50.0):
        assert {name for name, factor in factors(epoch).items() if factor} == {"prediction"}


@pytest.mark.slow
def test_f_alone_learns_the_same_next_to_any_interpreter(tmp_path: Path) -> None:
    """f is bit-identical under other interpreters: none of them taught it anything."""
    given = ("trainer.max_epochs=2", "predictor.network.width=16", "seed=3", *BARE)
    found = []
    for name, more in {
        "few": ["attributes.n_attributes=8"],
        "many": ["attributes.n_attributes=14", "attributes.k=5"],
    }.items():
        train(composed(tmp_path / name, *given, *more))
        found.append(load(tmp_path / name))
    first, second = (model.predictor.state_dict() for model in found)
    assert all(torch.equal(first[key], second[key]) for key in first)
    config = composed(tmp_path / "fresh", *given, "attributes.n_attributes=8")
    pl.seed_everything(3, workers=True, verbose=False)
    fresh = build_model(config, found[0].facts)
    ours, drawn = found[0].interpreter.head.weights, fresh.interpreter.head.weights
    assert torch.equal(ours, drawn), "h is as drawn"
    assert not torch.equal(
        first["network.head.1.weight"], fresh.predictor.state_dict()["network.head.1.weight"]
    )


# ---------------------------------------------------------------------------------- what is planned
def test_ours_and_f_alone_come_seed_by_seed_and_the_controls_last(tmp_path: Path) -> None:
    runs = list(planned(DIGITS, options(tmp_path, 2)))
    assert [(run.setting, run.seed) for run in runs] == [
        ("digits", 0),
        (bare("digits"), 0),
        ("digits", 1),
        (bare("digits"), 1),
        ("digits interpreter=frozen_random", 0),
        ("digits interpreter=relabelled", 0),
    ]
    assert len({run.folder for run in runs}) == len(runs)
    assert runs[1].folder == tmp_path / "digits/bare-0"


def test_the_command_says_all_that_the_record_pairs_by(tmp_path: Path) -> None:
    given = options(
        tmp_path / "a b", 1, roots={"": "/all", "mnist": "/one"}, more=("attributes.k=4",)
    )
    ours, alone = planned(Group("mnist", "mnist", "free"), given)
    assert ours.command[1:] == [
        "train.py",
        "experiment=mnist",
        "attributes.k=4",
        "seed=0",
        *UNDRAWN,
        "threads=1",
        "data.root=/one",
        f"hydra.run.dir='{tmp_path}/a b/mnist_attributes.k_4/ours-0'",
    ]
    assert alone.setting == bare("mnist attributes.k=4")
    assert set(BARE) <= set(alone.command)


def test_a_network_for_a_post_hoc_fit_is_asked_for(tmp_path: Path) -> None:
    group = next(group for group in GROUPS if group.predictor)
    (message,) = made(group, options(tmp_path))
    assert "--predictor FILE" in message
    run = next(planned(group, options(tmp_path, predictor="/weights.pt")))
    assert "predictor.path=/weights.pt" in run.command


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mnist", ["mnist"]),
        ("paper", ["mnist_paper", "fashion_mnist_paper", "quickdraw_paper"]),
        ("cifar10_jpeg", ["cifar10_jpeg"]),
        ("digits", ["digits"]),
        ("digits b=1 a=2", ["digits a=2 b=1"]),
    ],
)
def test_names_are_settings_tracks_or_experiments(name: str, settings: list[str]) -> None:
    assert [group.setting for group in named(name)] == settings


def test_a_name_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'fashion_mnist'"):
        named("fashon_mnist")


def test_undrawn_is_all_that_draws() -> None:
    assert sorted(UNDRAWN) == sorted(SMALL_UNDRAWN)


# ------------------------------------------------------------------------------------- what is made
@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have been run; each fails whose seed is 1."""
    found: list[list[str]] = []

    def called(command: list[str], **_: object) -> SimpleNamespace:
        found.append(command)
        return SimpleNamespace(returncode=int("seed=1" in command))

    monkeypatch.setattr(subprocess, "run", called)
    return found


def finished(folder: Path, *overrides: str, seed: int = 0) -> Path:
    """A run folder that looks finished."""
    (folder / ".hydra").mkdir(parents=True)
    OmegaConf.save(OmegaConf.create({"seed": seed}), folder / ".hydra/config.yaml")
    OmegaConf.save(OmegaConf.create(list(overrides)), folder / ".hydra/overrides.yaml")
    (folder / "provenance.json").write_text("{}")
    (folder / "metrics.json").write_text("{}")
    return folder


def test_a_failure_does_not_end_the_series(tmp_path: Path, calls: list[list[str]]) -> None:
    failed = made(Group("digits", "digits", ""), options(tmp_path, 3))
    assert len(calls) == 6
    assert [line.split(":")[0] for line in failed] == ["digits seed=1", f"{bare('digits')} seed=1"]


def test_what_is_finished_is_not_made_again(tmp_path: Path, calls: list[list[str]]) -> None:
    first, alone = planned(Group("digits", "digits", ""), options(tmp_path, 1))
    finished(first.folder, "experiment=digits", "seed=0", "threads=2", "callbacks.report=null")
    made(Group("digits", "digits", ""), options(tmp_path, 1))
    assert [command[-1] for command in calls] == [f"hydra.run.dir={alone.folder}"]


def test_a_stopped_run_goes_on(tmp_path: Path) -> None:
    run = Planned("digits", 0, tmp_path)
    (tmp_path / ".run").touch()
    assert run.command[-1] == f"resume={tmp_path}"


def test_a_folder_with_another_run_is_left_alone(tmp_path: Path, calls: list[list[str]]) -> None:
    finished(tmp_path / "digits/ours-0", "experiment=digits", "seed=0", "attributes.k=2")
    with pytest.raises(
        UserError, match=r"holds 'digits attributes\.k=2 seed=0', and wanted is 'digits seed=0'"
    ):
        _ = Planned("digits", 0, tmp_path / "digits/ours-0").is_finished
    (message,) = made(Group("digits", "digits", "", bare=False), options(tmp_path, 1))
    assert "Move it away" in message
    assert calls == []


def test_an_experiment_that_does_not_exist_yet_is_reported(
    tmp_path: Path, calls: list[list[str]]
) -> None:
    (message,) = made(Group("no_such", "mnist", "paper"), options(tmp_path))
    assert message.startswith("no_such: conf/experiment has no such file")


# ---------------------------------------------------------------------------------------- the whole
@pytest.mark.slow
def test_two_seeds_of_digits_make_a_record_and_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setattr(seeds, "RECORD", tmp_path / "seeds.json")
    group, given = Group("digits", "digits", "", bare=False), options(tmp_path / "out", more=SMALL)
    for run in planned(group, given):  # as the commands would
        entries = run.command[2:-1]
        train(composed(run.folder, *entries))
        OmegaConf.save(OmegaConf.create(entries), run.folder / ".hydra/overrides.yaml")
        assert (
            setting_of(RunFolder(run.folder))
            == run.setting
            == read(RunFolder(run.folder))["setting"]
        )
    monkeypatch.setattr(Planned, "command", property(lambda _: pytest.fail("everything is there")))
    (tmp_path / "seeds.json").write_text(json.dumps({"rows": [{"setting": "other"}]}))
    assert made(group, given) == []
    other, row = sorted(
        json.loads((tmp_path / "seeds.json").read_text())["rows"],
        key=lambda row: row["setting"] != "other",
    )
    assert other == {"setting": "other"}
    assert row["seeds"] == "0, 1"
    assert row["attributes"] == 8
    assert -1 <= row["stability_seeds_random"] <= 1
    assert 0 < row["stability_seeds"] <= 1
    (run.folder / "controls.json").write_text('{"test": {"relabelled": {"fidelity": 1.0}}}')
    assert read(RunFolder(run.folder))["controls"] == {"relabelled": {"fidelity": 1.0}}
    printed(capsys)
    compare_runs([tmp_path / "out"], together=SeedScores(random=True))
    (mean,) = [
        line.split() for line in printed(capsys).splitlines() if line.startswith("mean of 2")
    ][-1:]
    assert f"{row['stability_seeds']:.4f}" in mean
    assert f"{row['stability_seeds_random']:.4f}" in mean


def test_the_controls_are_those_of_the_package(tmp_path: Path) -> None:
    for control in CONTROLS:
        assert composed(tmp_path, control).interpreter._target_
