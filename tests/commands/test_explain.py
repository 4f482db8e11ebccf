"""`interp explain`, `evaluate`, `attributes` on files and folders that the run has never seen."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import interp_by_design
from interp_by_design import cli
from interp_by_design.data import Digits
from interp_by_design.explain import explain_globally
from interp_by_design.run.saved_run import open_run

Printed = pytest.CaptureFixture[str]
Command = Callable[..., None]


@pytest.fixture
def interp(monkeypatch: pytest.MonkeyPatch) -> Command:
    def command(*arguments: object, code: int = 0) -> None:
        monkeypatch.setattr("sys.argv", ["/bin/interp", *map(str, arguments)])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        if not code:
            cli.main()
            return
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == code

    return command


@pytest.fixture(scope="module")
def digits() -> Digits:
    data = Digits()
    data.setup()
    return data


@pytest.fixture(scope="module")
def images(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty test images as files, a folder a class."""
    root = tmp_path_factory.mktemp("images")
    batch = digits.split("test").batch(torch.arange(30))
    for i, (image, label) in enumerate(zip(batch.images, batch.labels.tolist(), strict=True)):
        (root / str(label)).mkdir(exist_ok=True)
        Image.fromarray((image[0] * 255).round().byte().numpy()).save(root / f"{label}/{i}.png")
    return root


# ---------------------------------------------------------------------- explain
def test_an_image_file_is_explained_as_the_model_explains_its_pixels(
    finished_run: Path, images: Path, interp: Command, capsys: Printed, tmp_path: Path
) -> None:
    file = next(images.glob("*/0.png"))
    (finished_run / "names.yaml").write_text("".join(f'{j}: "name {j}"\n' for j in range(12)))
    interp("explain", finished_run, file, "--out", tmp_path / "out")
    model = interp_by_design.load(finished_run)
    with Image.open(file) as opened:
        pixels = torch.from_numpy(np.array(opened))[None] / 255
    wanted = model.explain(pixels)
    (entry,) = json.loads((tmp_path / "out/explanations.json").read_text())
    assert entry["predictor"]["class"] == model.facts.class_names[wanted.predictor_class]
    assert entry["interpreter"]["probability"] == pytest.approx(
        float(wanted.interpreter_probabilities.max()), abs=1e-5
    )
    assert [shown["attribute"] for shown in entry["shown"]] == wanted.shown(5.0)
    assert [shown["relevance"] for shown in entry["shown"]] == pytest.approx(
        wanted.relevance[wanted.shown(5.0)].tolist(), abs=1e-5
    )
    printed = capsys.readouterr().out
    assert printed.startswith(f"{file}\n  {entry['statement']}\n    φ")
    assert re.findall(r"φ\d+ “name (\d+)” +relevance", printed) == [
        str(j) for j in wanted.shown(5.0)
    ]
    with Image.open(tmp_path / "out" / entry["figure"]) as figure:
        assert figure.format == "PNG"


def test_a_broken_file_is_reported_and_the_others_go_on(
    finished_run: Path, images: Path, interp: Command, capsys: Printed, tmp_path: Path
) -> None:
    first, last = sorted(images.glob("*/*.png"))[:2]
    (tmp_path / "broken.png").write_text("no image")
    interp(
        "explain",
        finished_run,
        first,
        tmp_path / "broken.png",
        tmp_path / "gone.png",
        last,
        "--out",
        tmp_path / "out",
        code=1,
    )
    out, err = capsys.readouterr()
    assert out.count("f and g") == 2
    assert "broken.png cannot be read as an image" in err
    assert "gone.png cannot be read as an image (No such file or directory)" in err
    rows = list(csv.DictReader((tmp_path / "out/explanations.csv").read_text().splitlines()))
    assert [bool(row["error"]) for row in rows] == [False, True, True, False]
    assert rows[0]["f"]
    assert float(rows[0]["f_probability"]) <= 1


def test_a_folder_gives_a_table_in_the_run_folder(
    finished_run: Path, images: Path, interp: Command, capsys: Printed
) -> None:
    interp("explain", finished_run, images)
    rows = list(
        csv.DictReader((finished_run / f"explanations/{images.name}.csv").read_text().splitlines())
    )
    assert [row["file"] for row in rows] == [str(file) for file in sorted(images.rglob("*.png"))]
    assert f"Written: {finished_run}/explanations/{images.name}.csv" in capsys.readouterr().out


def test_images_of_one_name_keep_figures_of_their_own(
    finished_run: Path, images: Path, interp: Command, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (20, 30), "white").save(tmp_path / folder / "same.jpg")
    interp("explain", finished_run, tmp_path / "a", tmp_path / "b", "--out", tmp_path / "out")
    assert sorted(file.name for file in (tmp_path / "out").glob("*.png")) == [
        "same-2.png",
        "same.png",
    ]


def test_tau_decides_what_is_shown_and_cannot_be_one(
    finished_run: Path, images: Path, interp: Command, capsys: Printed
) -> None:
    file = next(images.glob("*/0.png"))
    interp("explain", finished_run, file, "--tau", "1.0001")
    assert capsys.readouterr().out.count("relevance") == 1
    interp("explain", finished_run, file, "--tau", "1", code=1)
    assert "must be larger than 1" in capsys.readouterr().err


def test_a_file_name_does_nothing_to_the_terminal(
    finished_run: Path, interp: Command, capsys: Printed, tmp_path: Path
) -> None:
    file = tmp_path / "a\x1b[31m\n.png"
    Image.new("L", (8, 8)).save(file)
    interp("explain", finished_run, file)
    assert "\x1b" not in capsys.readouterr().out


# ---------------------------------------------------------------------- evaluate
def test_the_runs_own_scores_come_again(
    finished_run: Path, interp: Command, tmp_path: Path
) -> None:
    interp("evaluate", finished_run, "--no-controls", "--json", tmp_path / "scores.json")
    found, wanted = (
        json.loads(file.read_text())
        for file in (tmp_path / "scores.json", finished_run / "metrics.json")
    )
    measured = {key: value for key, value in wanted.items() if not key.startswith("train/")}
    assert found == pytest.approx({key: measured[key] for key in found}, abs=1e-6)
    assert {
        "test/fidelity",
        "val/fidelity",
        "test/within_class_explained",
        "test/logit_predictability",
    } <= set(found)


def test_a_tree_of_class_folders_is_evaluated(
    finished_run: Path, images: Path, interp: Command, digits: Digits, tmp_path: Path
) -> None:
    interp("evaluate", finished_run, "--data", images, "--json", tmp_path / "scores.json")
    found = json.loads((tmp_path / "scores.json").read_text())
    batch = digits.split("test").batch(torch.arange(30))
    seen = interp_by_design.load(finished_run)(batch.images)
    f, g = seen.predictor.argmax(dim=1), seen.interpreter.argmax(dim=1)
    assert found["test/predictor_accuracy"] == pytest.approx(
        float((f == batch.labels).float().mean())
    )
    assert found["test/fidelity"] == pytest.approx(float((f == g).float().mean()))
    assert {"test/within_class_explained", "test/logit_predictability"} <= set(found)
    assert not any(key.startswith("val/") for key in found)


def test_where_the_train_images_are_gone_what_wants_them_is_absent(
    finished_run: Path, images: Path, interp: Command, capsys: Printed, tmp_path: Path
) -> None:
    config = finished_run / ".hydra/config.yaml"
    config.write_text(
        config.read_text().replace("interp_by_design.data.Digits", "interp_by_design.data.Removed")
    )
    interp("evaluate", finished_run, "--data", images, "--json", tmp_path / "scores.json")
    found = json.loads((tmp_path / "scores.json").read_text())
    assert "test/reconstruction_mse" in found
    assert not {"test/within_class_explained", "test/logit_predictability"} & set(found)


@pytest.mark.parametrize("layout", ["<root>/<class>", "<root>/test/<class>"])
def test_classes_have_to_be_the_models(
    layout: str, finished_run: Path, interp: Command, capsys: Printed, tmp_path: Path
) -> None:
    root = tmp_path / "tree"
    place = root / "test" if "test" in layout else root
    for name in ("3", "cat"):
        (place / name).mkdir(parents=True)
        Image.new("L", (8, 8)).save(place / name / "a.png")
    interp("evaluate", finished_run, "--data", root, code=1)
    assert (
        f"{place} has the folders cat, and the model knows the classes 0, 1, 2"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (["empty"], "has no folder of one of the model's classes"),
        (["gone"], "gone cannot be read: No such file or directory"),
        (["empty", "gone"], "Give one folder of images, not 2"),
        (["data.rot=x"], "No option of the data 'rot'"),
    ],
)
def test_what_cannot_be_evaluated_is_reported(
    data: list[str],
    message: str,
    finished_run: Path,
    interp: Command,
    capsys: Printed,
    tmp_path: Path,
) -> None:
    (tmp_path / "empty").mkdir()
    given = [entry if "=" in entry else tmp_path / entry for entry in data]
    interp(
        "evaluate", finished_run, *(part for entry in given for part in ("--data", entry)), code=1
    )
    assert message in capsys.readouterr().err


# ---------------------------------------------------------------------- attributes
def test_attributes_are_listed_with_the_classes_they_speak_for(
    finished_run: Path, interp: Command, capsys: Printed, tmp_path: Path
) -> None:
    (finished_run / "names.yaml").write_text('3: "a [bold]loop[/]"\n')
    interp("attributes", finished_run, "--csv", tmp_path / "a.csv")
    found = explain_globally(open_run(finished_run).table("test"))
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len(rows) == 12
    assert rows[3]["name"] == "a [bold]loop[/]"
    for j, row in enumerate(rows):
        classes = [entry.split()[0] for entry in row["speaks_for"].split(", ") if entry]
        assert classes == [str(c) for c in found.classes_of(j, 5.0)]
        assert float(row["active"]) == pytest.approx(float(found.active_share[j]), abs=1e-6)
        assert row["shared"] == str(len(classes) > 1)
    assert "φ3 “a [bold]loop[/]”" in capsys.readouterr().out


def test_attributes_are_listed_from_the_tables_where_the_data_is_gone(
    finished_run: Path, interp: Command, capsys: Printed
) -> None:
    interp("attributes", finished_run)
    before = capsys.readouterr().out
    config = finished_run / ".hydra/config.yaml"
    config.write_text(
        config.read_text().replace("interp_by_design.data.Digits", "interp_by_design.data.Removed")
    )
    interp("attributes", finished_run)
    assert capsys.readouterr().out == before
    interp("attributes", finished_run, "--split", "val", code=1)
    assert "names what is no data set of this package" in capsys.readouterr().err
