"""Runs that differ in the seed alone, scored together from the tables that they keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from interp_by_design.activations import save_table
from interp_by_design.metrics.seed_stability import stability_seeds
from interp_by_design.report.comparison.table import RunRecord, compare
from interp_by_design.run.saved_run import TABLES
from interp_by_design.run.seed_stability import SPLIT, SeedScores, random_stability_of, stability_of
from interp_by_design.run.seed_stability import TABLES as HERE
from interp_by_design.terms import InterpretationTable, UserError
from tests.metrics.tables import table_of

KEY = "test/stability_seeds"


def kept(folder: Path, seed: int, n_attributes: int = 3) -> InterpretationTable:
    phi = torch.rand(20, n_attributes, generator=torch.Generator().manual_seed(seed))
    table = table_of(
        phi.tolist(),
        [[1.0] * n_attributes, [0.5] * n_attributes],
        labels=[float(i % 2) for i in range(20)],
    )
    save_table(table, folder / TABLES / SPLIT)
    return table


def record(folder: Path, seed: int, **options: int) -> RunRecord:
    return RunRecord(folder.name, {"seed": seed} | options, {"test/fidelity": 0.9}, folder)


def test_the_tables_that_runs_keep_are_compared(tmp_path: Path) -> None:
    tables = [kept(tmp_path / str(seed), seed) for seed in range(3)]
    found = stability_of([tmp_path / str(seed) for seed in range(3)])
    assert found == {KEY: pytest.approx(stability_seeds(tables))}
    assert HERE == TABLES


def test_a_run_without_its_table_is_reported_and_what_makes_it(tmp_path: Path) -> None:
    kept(tmp_path / "0", 0)
    with pytest.raises(UserError, match="keeps no table of its test images; interp attributes"):
        stability_of([tmp_path / "0", tmp_path / "1"])


def test_the_comparison_shows_it_for_the_mean_alone(tmp_path: Path) -> None:
    for seed in range(2):
        kept(tmp_path / str(seed), seed)
    found = compare([record(tmp_path / str(seed), seed) for seed in range(2)], SeedScores())
    place = found.scores.index(KEY)
    assert KEY in found.main.scores
    assert [run.cells[place].value for run in found.runs] == [None, None]
    (mean,) = found.means
    assert mean.cells[place].value == pytest.approx(
        stability_of([tmp_path / "0", tmp_path / "1"])[KEY]
    )
    assert mean.cells[place].deviation is None


def test_runs_that_differ_in_more_are_not_compared_so(tmp_path: Path) -> None:
    for seed in range(2):
        kept(tmp_path / str(seed), seed)
    assert (
        KEY
        not in compare(
            [record(tmp_path / "0", 0, k=3), record(tmp_path / "1", 1, k=4)], SeedScores()
        ).scores
    )


def test_the_most_alike_of_several_settings_is_marked(tmp_path: Path) -> None:
    kept(tmp_path / "0", 0)
    kept(tmp_path / "1", 1)
    records = [
        record(tmp_path / "0", 0),
        record(tmp_path / "1", 1),
        record(tmp_path / "0", 0, k=2),
        record(tmp_path / "0", 1, k=2),
    ]
    found = compare(records, SeedScores())
    assert [mean.cells[found.scores.index(KEY)].is_best for mean in found.means] == [False, True], (
        "the same table twice: 1"
    )


def test_what_cannot_be_had_is_reported_and_the_rest_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(2):
        kept(tmp_path / str(seed), seed)
    group = [record(tmp_path / str(seed), seed) for seed in range(2)]
    assert set(SeedScores(random=True)(group)) == {KEY}, "there is no model in these folders"
    message = "Left out: stability across the seeds of 0 and its repetitions:"
    assert message in capsys.readouterr().err
    kept(tmp_path / "1", 1, n_attributes=4)
    assert SeedScores()(group) == {}
    assert "3, 4 attributes" in capsys.readouterr().err


def test_random_dictionaries_over_one_run_twice_are_the_same(trained_run: Path) -> None:
    assert random_stability_of([trained_run, trained_run])[
        "test/stability_seeds_random"
    ] == pytest.approx(1.0, abs=1e-4)


def test_attributes_of_a_run_and_of_its_shuffled_self_are_the_same(tmp_path: Path) -> None:
    table = kept(tmp_path / "0", 0)
    save_table(
        replace(table, attributes=table.attributes[:, [2, 0, 1]]), tmp_path / "1" / TABLES / SPLIT
    )
    assert stability_of([tmp_path / "0", tmp_path / "1"])[KEY] == pytest.approx(1.0, abs=1e-6)
