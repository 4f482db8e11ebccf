"""The record of baselines: what it keeps, and when it says that a published figure is reached."""

import json
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from benchmarks import baselines, record
from benchmarks.baselines import BASELINES, COLUMNS, Baseline, reached, row, write
from tests.small import CONF

SENN = next(baseline for baseline in BASELINES if baseline.key == "SENN, mnist")


def run(seed: int, accuracy: float) -> dict[str, Any]:
    return {
        "seed": seed,
        "scores": {"predictor_accuracy": accuracy, "conciseness@5": 12.0 + seed, "fidelity": 1.0},
    }


@pytest.mark.parametrize(
    ("accuracy", "wanted"),
    [
        ([98.4], "yes, +0.00"),
        ([98.31], "yes, -0.09"),
        ([98.2], "no, -0.20"),
        ([98.2, 98.8], "yes, +0.10"),
    ],
)
def test_a_published_figure_is_reached_within_its_deviation(
    accuracy: list[float], wanted: str
) -> None:
    assert reached(SENN, accuracy) == wanted


def test_nothing_is_reached_where_nothing_was_published() -> None:
    assert reached(Baseline("ours", "mnist"), [99.0]) == ""


def test_a_row_is_mean_and_deviation_over_seeds_with_a_cell_for_each_column() -> None:
    cells = row(SENN, [run(seed, accuracy)["scores"] for seed, accuracy in enumerate((0.98, 0.99))])
    assert len(cells) == len(COLUMNS)
    wanted = dict(zip(COLUMNS, cells, strict=True))
    assert (wanted["seeds"], wanted["accuracy of g, %"], wanted["CNS@5"]) == (
        "2",
        "98.50 ± 0.71",
        "12.50 ± 0.71",
    )
    assert wanted["within class"] == ""


def test_runs_are_kept_next_to_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (record, baselines):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    assert baselines.recorded() == {}
    write({"SENN, mnist, seed 0": run(0, 0.984)})
    write(
        baselines.recorded()
        | {"SENN, fashion_mnist, seed 0": run(0, 0.842), "SENN, mnist, seed 0": run(0, 0.985)}
    )
    found = json.loads((tmp_path / "baselines.json").read_text())
    assert [cells[:4] for cells in found["rows"]] == [
        ["SENN", "mnist", "1", "98.50"],
        ["SENN", "fashion_mnist", "1", "84.20"],
    ]
    assert found["command"] == "python -m benchmarks.baselines --root data"


def test_every_baseline_names_an_experiment_that_there_is() -> None:
    for baseline in BASELINES:
        if "experiment" in baseline.options:
            with initialize_config_dir(str(CONF), version_base="1.3"):
                config = compose(
                    "train", [f"experiment={baseline.options['experiment']}", "folder=x", "name=y"]
                )
            name = config.data._target_.rpartition(".")[2].removesuffix("Images").lower()
            assert name.rstrip("s") == baseline.data.replace("_", "").rstrip("s")
