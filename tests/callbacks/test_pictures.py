"""What each callback shows of a known model, without effect on whole runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from interp_by_design.callbacks import (
    AttributeSheets,
    Drift,
    LocalExplanations,
    RelevanceMap,
    Usage,
)
from interp_by_design.callbacks.figure_callback import FigureCallback, Snapshot
from interp_by_design.callbacks.loggers import Drawing, Sheet
from interp_by_design.callbacks.probe_set import ProbeSet
from interp_by_design.explain import explain_globally
from interp_by_design.report.names import write_names
from interp_by_design.run import train
from interp_by_design.terms import AttributeNames, UserError
from tests.callbacks.fits import fit, stripes
from tests.small import composed_drawing, small_model

ROOT = Path(__file__).parents[2]
SHOWN = ("explanations", "relevance_map", "usage", "drift", "attribute_sheets")
ALL = [f"callbacks.{name}.every=1" for name in SHOWN]
NONE = [f"callbacks.{name}=null" for name in SHOWN]
QUICK = ["trainer.max_epochs=2", "callbacks.report=null"]


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    model, data = small_model().eval(), stripes()
    data.setup()
    probe_set = ProbeSet.from_data(data, 30)
    return Snapshot(3, 8, model, probe_set, probe_set.table(model), AttributeNames({1: "middle"}))


def shown(callback: FigureCallback, snapshot: Snapshot) -> tuple[list[Drawing], list[Sheet]]:
    found = list(callback.show(snapshot))
    drawings = [entry for entry in found if isinstance(entry, Drawing)]
    assert all(drawing.pixels().std() > 1 for drawing in drawings)
    return drawings, [entry for entry in found if isinstance(entry, Sheet)]


def test_explanations_of_one_image_of_each_class(tmp_path: Path, snapshot: Snapshot) -> None:
    drawings, sheets = shown(LocalExplanations(tmp_path, shown=3), snapshot)
    assert not sheets
    labels = stripes_of_validation()
    indices = [int(drawing.key.removeprefix("explanations/image_")) for drawing in drawings]
    assert indices == [min(i for i, label in enumerate(labels) if label == c) for c in range(3)]
    for drawing, index in zip(drawings, indices, strict=True):
        row = snapshot.table.indices.tolist().index(index)
        decided = snapshot.model.facts.class_names[int(snapshot.table.predictor[row].argmax())]
        assert f"“{decided}”" in drawing.caption


def stripes_of_validation() -> list[int]:
    data = stripes()
    data.setup()
    labels: list[int] = data.split("val").labels.tolist()
    return labels


def test_the_map_and_its_numbers(tmp_path: Path, snapshot: Snapshot) -> None:
    [drawing], [sheet] = shown(RelevanceMap(tmp_path), snapshot)
    found = explain_globally(snapshot.table)
    assert (drawing.key, sheet.key) == ("attributes/relevance_map", "attributes/relevance")
    assert sheet.columns == ("class", "images", "φ0", "φ1 “middle”", "φ2", "φ3", "φ4", "φ5")
    assert [row[0] for row in sheet.rows] == list(snapshot.model.facts.class_names)
    assert sum(int(row[1] or 0) for row in sheet.rows) == 30
    assert torch.equal(
        torch.tensor([[float(cell or 0) for cell in row[2:]] for row in sheet.rows]),
        found.relevance,
    )


def test_usage_and_all_attributes_as_a_table(tmp_path: Path, snapshot: Snapshot) -> None:
    [drawing], [sheet] = shown(Usage(tmp_path), snapshot)
    found, classes = explain_globally(snapshot.table), snapshot.model.facts.class_names
    assert (drawing.key, sheet.key) == ("attributes/usage", "attributes/table")
    for j, (label, name, share, class_, relevance, all_classes) in enumerate(sheet.rows):
        assert (label, name, share) == (
            f"φ{j}",
            "middle" if j == 1 else None,
            float(found.active_share[j]),
        )
        column = found.relevance[:, j].tolist()
        assert relevance == max(column)
        assert class_ == (classes[column.index(max(column))] if max(column) > 0 else None)
        assert set(str(all_classes).split(", ")) - {""} == {
            classes[c] for c in range(3) if column[c] > 1 / 5
        }


def test_sheets_of_the_attributes_that_matter_most(tmp_path: Path, snapshot: Snapshot) -> None:
    drawings, _ = shown(AttributeSheets(tmp_path, attributes=2), snapshot)
    strength = explain_globally(snapshot.table).relevance.amax(dim=0).tolist()
    strongest = sorted(range(6), key=lambda j: -strength[j])[:2]
    assert [drawing.key for drawing in drawings] == [
        f"sheets/attribute_{j:03d}" for j in sorted(strongest)
    ]
    drawings, _ = shown(AttributeSheets(tmp_path, attributes=99), snapshot)
    assert len(drawings) == 6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: LocalExplanations(folder, shown=0), "shown must be a whole number from 1"),
        (lambda folder: LocalExplanations(folder, shown=20, images=10), "from 1 to 10, not 20"),
        (lambda folder: LocalExplanations(folder, tau=1), "must be larger than 1"),
        (lambda folder: RelevanceMap(folder, tau=0.5), "must be larger than 1"),
        (lambda folder: AttributeSheets(folder, attributes=0), "attributes must be a whole number"),
        (
            lambda folder: AttributeSheets(folder, samples=True and -1),
            "samples must be a whole number",
        ),
        (lambda folder: Drift(folder, every=0), "is no interval"),
    ],
)
def test_invalid_options_are_refused_at_construction(
    tmp_path: Path, make: Any, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        make(tmp_path)


def pictures(folder: Path) -> dict[str, set[str]]:
    """The keys of the figures of each epoch."""
    epochs = sorted((folder / "figures/training").iterdir())
    return {
        epoch.name: {str(path.relative_to(epoch).with_suffix("")) for path in epoch.rglob("*.png")}
        for epoch in epochs
    }


def test_the_same_images_each_time_and_names_that_a_person_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_names(tmp_path, AttributeNames({2: "top stripe"}))
    seen: list[AttributeNames] = []
    show = LocalExplanations.show
    monkeypatch.setattr(
        LocalExplanations,
        "show",
        lambda self, snapshot: seen.append(snapshot.names) or show(self, snapshot),
    )
    fit(tmp_path, [LocalExplanations(tmp_path, 2, shown=4)], 4)
    found = pictures(tmp_path)
    assert list(found) == ["epoch_0002", "epoch_0004"]
    assert found["epoch_0002"] == found["epoch_0004"]
    assert len(found["epoch_0002"]) == 4
    assert [names.get(2) for names in seen] == ["top stripe", "top stripe"]


@pytest.mark.slow
@pytest.mark.parametrize("learning", [[], ["learning=post_hoc", "cache=ram", "attributes=topk"]])
def test_a_whole_run_by_design_and_post_hoc_does_not_depend_on_it(
    tmp_path: Path, learning: list[str]
) -> None:
    plain, shows = (
        train(composed_drawing(tmp_path / name, *QUICK, *learning, *which))
        for name, which in (("plain", NONE), ("shows", ALL))
    )
    timings = {"train/seconds", "train/images_per_second"}
    assert {key: value for key, value in plain.items() if key not in timings} == {
        key: value for key, value in shows.items() if key not in timings
    }
    tables = [(tmp_path / name / "csv/metrics.csv").read_text() for name in ("plain", "shows")]
    assert tables[0] == tables[1]
    states = [
        torch.load(tmp_path / name / "checkpoints/last.ckpt", weights_only=True)
        for name in ("plain", "shows")
    ]
    assert states[0]["state_dict"].keys() == states[1]["state_dict"].keys()
    assert all(
        torch.equal(value, states[1]["state_dict"][name])
        for name, value in states[0]["state_dict"].items()
    )
    assert not (tmp_path / "plain/figures").exists()
    found = pictures(tmp_path / "shows")
    assert list(found) == ["epoch_0001", "epoch_0002"]
    assert {key.partition("/")[0] for key in found["epoch_0002"]} == {
        "explanations",
        "attributes",
        "sheets",
    }
    assert found["epoch_0002"] - found["epoch_0001"] >= {"attributes/drift"}
    assert "attributes/drift" not in found["epoch_0001"]
    assert {key for key in found["epoch_0001"] if "image" in key} == {
        key for key in found["epoch_0002"] if "image" in key
    }


@pytest.mark.slow
def test_two_processes_show_once_and_wait_for_each_other(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "train.py"),
        *QUICK,
        *ALL,
        "trainer.devices=2",
        "trainer.accelerator=cpu",
        "threads=1",
    ]
    done = subprocess.run(
        [*command, f"hydra.run.dir={tmp_path / 'run'}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "could not show" not in done.stdout + done.stderr
    assert list(pictures(tmp_path / "run")) == ["epoch_0001", "epoch_0002"]
