"""The report of a small fitted model: its page agrees with the model, and its figures exist."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from interp_by_design.activations import class_mean_images, interpretation_table
from interp_by_design.data import Digits
from interp_by_design.data.split import Split
from interp_by_design.learning import Objective
from interp_by_design.metrics import scorecard
from interp_by_design.model import InterpretableModel
from interp_by_design.report.history import read_history
from interp_by_design.report.names import read_names
from interp_by_design.report.options import ReportOptions, RunDescription
from interp_by_design.report.run_report import write_report
from interp_by_design.terms import InterpretationTable, UnknownName, UserError
from tests.small import small_model

ABOUT = RunDescription(
    "digits <b>", "interp train experiment=none", "seed: 0\n", {"revision": "abc", "cores": 2}
)
FEW = ReportOptions(samples=40, starts=2, maximize=False, figures=False)


@dataclass
class Fitted:
    model: InterpretableModel
    splits: dict[str, Split]
    tables: dict[str, InterpretationTable]
    about: RunDescription

    def report(self, folder: Path, options: ReportOptions) -> Path:
        read = replace(
            self.about,
            names=read_names(folder, self.model.interpreter.n_attributes),
            history=read_history(folder),
        )
        return write_report(folder, self.model, self.splits, self.tables, read, options)


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    data = Digits()
    data.setup()
    model, objective = small_model(data.facts), Objective()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(4):
        for batch in data.train_dataloader():
            terms = objective.terms(model(batch.images), batch, objective.factors(1.0))
            optimizer.zero_grad()
            objective.total(terms, objective.factors(1.0)).backward()
            optimizer.step()
    model.eval()
    means = class_mean_images(data.in_order("train"), 10)
    tables = {
        split: interpretation_table(model, data.in_order(split), means)
        for split in ("train", "test")
    }
    scores = {
        f"test/{key}": value for key, value in scorecard(tables["test"], tables["train"], 0).items()
    }
    about = RunDescription(ABOUT.title, ABOUT.command, ABOUT.config_yaml, ABOUT.provenance, scores)
    return Fitted(model, {split: data.split(split) for split in tables}, tables, about)


@pytest.fixture(scope="module")
def page(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "names.yaml").write_text("2: closed loop\n")
    (folder / "csv").mkdir()
    (folder / "csv/metrics.csv").write_text("step,train/loss\n1,2.5\n2,1.5\n")
    return fitted.report(folder, ReportOptions(samples=40, starts=2))


def content_of(page: Path) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="content">(.*?)</script>',
        page.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_the_page_agrees_with_the_tables(page: Path, fitted: Fitted) -> None:
    content, table = content_of(page), fitted.tables["test"]
    assert (content["split"], content["sheets_split"], content["n"]) == (
        "test",
        "train",
        len(table),
    )
    assert content["attribute_names"] == {"2": "closed loop"}
    assert torch.tensor(content["head"]["weights"]).equal(table.head_weights)
    assert len(content["samples"]["items"]) == 40
    for sample in content["samples"]["items"]:
        assert torch.tensor(sample["attributes"]).equal(table.attributes[sample["index"]])
        assert sample["label"] == int(table.labels[sample["index"]])
    train = fitted.tables["train"].attributes
    for sheet in content["attributes"]:
        j = sheet["attribute"]
        best = train[:, j].topk(2).values.tolist()
        assert [example["value"] for example in sheet["examples"]] == pytest.approx(
            [v for v in best if v > 0], rel=1e-4
        )
        assert all(example["maximized_value"] is not None for example in sheet["examples"])
        assert sheet["largest"] == pytest.approx(float(table.attributes[:, j].max()), rel=1e-4)
    assert [chart["title"] for chart in content["overview"]["charts"]][-1] == (
        "Losses during training"
    )


def test_the_page_describes_its_run(page: Path, fitted: Fitted) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<h1>digits &lt;b&gt;</h1>" in text
    for text_of_run in (
        "interp train experiment=none",
        "seed: 0",
        "&#34;revision&#34;: &#34;abc&#34;",
        "TopKDictionary, 6 attributes",
        "conv1, fc1",
    ):
        assert text_of_run in text
    assert f"{fitted.about.scores['test/fidelity']:.4f}" in text


def test_figures_are_there_for_light_and_dark(page: Path) -> None:
    figures = {path.stem for path in (page.parent / "figures").glob("*.png")}
    expected = {
        "relevance_map",
        "usage",
        "confusion",
        "tau_curves",
        "loss_curves",
        *(f"attribute_{j:03d}" for j in range(6)),
    }
    assert expected <= figures
    assert {f"{name}_dark" for name in expected} <= figures
    assert any(name.startswith("sample_") for name in figures)
    for path in (page.parent / "figures").glob("*.png"):
        shown = Image.open(path).convert("L")
        assert shown.getextrema()[0] < shown.getextrema()[1]
        assert (sum(shown.resize((8, 8)).tobytes()) < 64 * 128) == path.stem.endswith("_dark")


def test_the_same_input_gives_the_same_page(fitted: Fitted, tmp_path: Path) -> None:
    weights = {key: value.clone() for key, value in fitted.model.state_dict().items()}
    before = torch.random.get_rng_state()
    pages = [fitted.report(tmp_path / name, FEW).read_bytes() for name in ("a", "b")]
    assert pages[0] == pages[1]
    assert torch.random.get_rng_state().equal(before)
    assert all(value.equal(weights[key]) for key, value in fitted.model.state_dict().items())
    assert not fitted.model.training
    assert not (tmp_path / "a/figures").exists()


def test_missing_splits_and_invalid_options_are_refused(fitted: Fitted, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"No split 'val'\. Known: train, test"):
        fitted.report(tmp_path, ReportOptions(split="val"))
    with pytest.raises(UserError, match="tau"):
        fitted.report(tmp_path, ReportOptions(tau=1.0))
    with pytest.raises(UserError, match="samples must be a whole number of at least 0, not -1"):
        ReportOptions(samples=-1)
    (tmp_path / "names.yaml").write_text("6: loop\n")
    with pytest.raises(UserError, match="attribute 6, and this run has the attributes 0 to 5"):
        fitted.report(tmp_path, FEW)
    assert not (tmp_path / "report.html").exists()


def test_without_a_train_split_sheets_show_the_explained_split(
    fitted: Fitted, tmp_path: Path
) -> None:
    test_alone = ({"test": fitted.splits["test"]}, {"test": fitted.tables["test"]})
    page = write_report(tmp_path, fitted.model, *test_alone, RunDescription("run"), FEW)
    assert content_of(page)["sheets_split"] == "test"


def test_the_page_decides_as_the_model_does(
    page: Path, fitted: Fitted, visit: Callable[..., Any]
) -> None:
    opened = visit(page)
    sample = content_of(page)["samples"]["items"][5]
    opened.evaluate("index => { location.hash = `what-if/${index}`; }", sample["index"])
    opened.wait_for_selector("#what-if-result tbody tr")
    row = fitted.tables["test"].interpreter[sample["index"]].softmax(dim=0)

    def answers() -> list[float]:
        cells = "#what-if-result [data-interpreter]"
        return opened.eval_on_selector_all(
            cells, "all => all.map(cell => Number(cell.dataset.interpreter))"
        )

    assert answers() == pytest.approx(row.tolist(), abs=1e-5)
    phi = torch.tensor(sample["attributes"])
    for attribute in range(6):
        slider = opened.locator(f"#slider-{attribute}")
        slider.evaluate(
            "slider => { slider.value = slider.max / 3; slider.dispatchEvent(new Event('input')); }"
        )
        phi[attribute] = float(slider.input_value())
    with torch.no_grad():
        expected = fitted.model.interpreter.head(phi[None]).softmax(dim=1)[0]
    assert answers() == pytest.approx(expected.tolist(), abs=1e-5)
    assert (expected - row).abs().max() > 0.01
