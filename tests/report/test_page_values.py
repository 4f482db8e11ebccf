"""Values of the page agree with the tables, and its images are the images of the split."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import math
from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image

from interp_by_design.data.split import TensorSplit
from interp_by_design.explain import AttributeSheet, explain_globally
from interp_by_design.report.findings import find_in_table
from interp_by_design.report.image_encoding import HEAT, heat_picture, picture, side_for
from interp_by_design.report.images import read_images
from interp_by_design.report.options import ReportOptions, RunDescription
from interp_by_design.report.page import ReportData, page_content, render_page
from interp_by_design.report.page.curves import MAX_POINTS, charts
from interp_by_design.report.page.numbers import exact
from interp_by_design.report.page.render import CHART_LIBRARY, policy
from interp_by_design.report.page.scorecard import scorecard
from interp_by_design.report.page.sections import SECTIONS
from interp_by_design.report.page.sections.attributes import attribute_values
from interp_by_design.report.page.sections.classes import classes_values
from interp_by_design.report.page.sections.samples import samples_values
from interp_by_design.terms import InterpretationTable
from tests.metrics.tables import table_of
from tests.report.pages import SCORED, made_up


def planted(n: int = 400, n_classes: int = 4, n_attributes: int = 6) -> InterpretationTable:
    """A table in which f and g sometimes disagree and f is sometimes wrong."""
    draw = torch.Generator().manual_seed(1)
    phi = torch.rand(n, n_attributes, generator=draw)
    phi[7] = 0
    weights = torch.randn(n_classes, n_attributes, generator=draw)
    g = phi @ weights.T
    f = g + 0.2 * torch.randn(n, n_classes, generator=draw)
    labels = (f + 0.3 * torch.randn(n, n_classes, generator=draw)).argmax(dim=1)
    return table_of(
        phi.tolist(), weights.tolist(), f=f.tolist(), g=g.tolist(), labels=labels.tolist()
    )


def report_data(
    table: InterpretationTable, n_samples: int, images: torch.Tensor | None = None
) -> ReportData:
    """Data of a report without sheets."""
    images = torch.zeros(len(table), 1, 2, 2) if images is None else images
    found = find_in_table(table, ReportOptions(samples=n_samples), "test", [])
    return ReportData(
        run=RunDescription("planted"),
        facts=(),
        class_names=tuple("abcdefgh"[: len(table.head_weights)]),
        findings=found,
        images=read_images(TensorSplit(images, table.labels), found),
    )


def decoded(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2])))


def test_classes_agree_with_the_table() -> None:
    table = planted()
    data = report_data(table, 40)
    pages, selection = classes_values(data), data.findings.selection
    f, g = table.predictor.argmax(dim=1).tolist(), table.interpreter.argmax(dim=1).tolist()
    labels = table.labels.tolist()
    for page in pages:
        c = page.index
        assert (page.labelled, page.predicted, page.interpreted) == (
            labels.count(c),
            f.count(c),
            g.count(c),
        )
        assert dict(page.interpreters) == Counter(b for a, b in zip(f, g, strict=True) if a == c)
        alike = [b == c for a, b in zip(f, g, strict=True) if a == c]
        assert page.fidelity == (
            pytest.approx(sum(alike) / len(alike), abs=1e-4) if alike else None
        )
        assert dict(page.labels) == Counter(b for a, b in zip(f, labels, strict=True) if a == c)
        assert [n for _, n in page.labels] == sorted((n for _, n in page.labels), reverse=True)
        relevance = explain_globally(table).relevance[c].tolist()
        assert page.relevance == (pytest.approx(relevance, abs=1e-4) if page.interpreted else ())
        assert [selection.rows[place] for place in page.typical] == list(
            selection.typical.get(c, ())
        )


def test_a_class_that_never_occurs_has_no_page() -> None:
    table = table_of([[1.0]], [[1.0], [0.5], [0.0]], f=[[0.0, 1.0, 0.0]], labels=[1.0])
    pages = classes_values(report_data(table, 1))
    assert [(page.index, bool(page.relevance)) for page in pages] == [(0, True), (1, False)]
    assert [page.fidelity for page in pages] == [None, 0]  # f decides 1, and g 0


def test_samples_are_rows_of_the_table() -> None:
    table = planted(50)
    images = torch.rand(50, 1, 5, 5)
    data = report_data(table, 20, images)
    found = samples_values(data).items
    assert len(found) == 20
    for sample in found:
        row = sample.index  # the rows of this table are in order
        assert np.asarray(decoded(sample.image)) == pytest.approx(
            images[row, 0].numpy() * 255, abs=0.51
        )
        assert torch.tensor(sample.attributes).equal(table.attributes[row])
        probabilities = table.predictor[row].softmax(dim=0)
        assert sample.predictor == sample.probabilities[0][0]
        assert dict(sample.probabilities) == pytest.approx(
            {c: float(p) for c, p in enumerate(probabilities) if p > 1e-4}, abs=1e-5
        )
        assert f"“{'abcd'[sample.predictor]}”" in sample.statement
        assert sample.sufficient == bool(data.findings.columns.sufficient[row])


def test_numbers_the_page_computes_with_are_whole() -> None:
    draws = torch.randn(1000) * 10.0 ** torch.randint(-20, 20, (1000,))
    assert torch.tensor(json.loads(json.dumps(exact(draws)))).equal(draws)
    head = page_content(report_data(planted(), 1)).shared.head
    assert torch.tensor(head.weights).equal(planted().head_weights)


def test_a_sheet_without_maximisation_and_with_undefined_numbers() -> None:
    images = torch.rand(2, 3, 6, 6)
    sheet = AttributeSheet(
        attribute=2,
        images=images,
        indices=torch.tensor([4, 9]),
        labels=torch.tensor([0, 1]),
        values=torch.tensor([2.0, 1.0]),
        maximized=None,
        maximized_values=None,
        heatmaps=torch.rand(2, 6, 6),
        heatmap_method="spatial contributions",
        deletion=math.nan,
        deletion_random=0.25,
        sweep=torch.rand(5, 3, 6, 6),
        levels=torch.linspace(0, 2, 5),
        active_share=0.5,
        class_relevance=torch.rand(3),
    )
    page = attribute_values(sheet, 0.25, 3.0, 64)
    assert (page.deletion, page.deletion_random, page.active_share) == (None, 0.25, 0.25)
    assert [(each.index, each.value, each.maximized) for each in page.examples] == [
        (4, 2.0, None),
        (9, 1.0, None),
    ]
    assert np.asarray(decoded(page.examples[1].image)).shape == (6, 6, 3)
    json.dumps(asdict(page), allow_nan=False)


def test_small_images_are_kept_to_the_pixel_and_photographs_are_small() -> None:
    small, photograph = torch.rand(3, 28, 28), torch.rand(3, 300, 200)
    assert np.asarray(decoded(picture(small))) == pytest.approx(
        small.permute(1, 2, 0).numpy() * 255, abs=0.51
    )
    assert (decoded(picture(photograph)).format, decoded(picture(photograph)).size) == (
        "JPEG",
        (149, 224),
    )
    assert decoded(picture(torch.rand(2, 9, 9))).mode == "L"
    assert [side_for(n) for n in (600, 1200, 3000, 10_000)] == [224, 160, 112, 64]


def test_heat_is_transparent_where_there_is_none() -> None:
    heat = torch.zeros(4, 5)
    heat[1, 2] = 1
    drawn = np.asarray(decoded(heat_picture(heat)).convert("RGBA"))
    assert drawn.shape == (4, 5, 4)
    assert tuple(drawn[1, 2]) == (*HEAT, 210)
    assert drawn[..., 3].sum() == 210


def test_the_scorecard_is_judged_by_its_gates() -> None:
    card = scorecard(SCORED | {"test/fidelity": 0.98, "test/odd": 2.0}, 25, 5.0)
    rows = {row.key: row for row in card.rows}
    assert (rows["fidelity"].failed, rows["fidelity"].bound, rows["fidelity"].values) == (
        False,
        "≥ 0.97",
        ("0.5000", "0.9800"),
    )
    assert rows["fidelity_hard"].failed
    assert rows["odd"].values == ("", "2")
    assert "conciseness@2" not in rows
    assert "conciseness_abs@5" in rows
    assert card.verdict.startswith(
        "7 of 14 judged scores on test are beyond the gate: fidelity_hard (0.5000, gate ≥ 0.7), "
    )
    assert [line.value for line in card.headlines][:3] == ["50.0 %", "50.0 %", "98.0 %"]


def test_a_run_without_scores_says_so() -> None:
    card = scorecard({}, 25, 5.0)
    assert (card.splits, card.rows, card.headlines) == ((), (), ())
    assert charts({}, {}) == ()
    assert "no test scores to judge" in card.verdict
    assert (
        scorecard({"val/fidelity": 1.0, "train/seconds": 3.0}, 25, 5.0).headlines[0].value
        == "100 %"
    )


def test_long_curves_are_thinned_and_keep_their_end() -> None:
    steps = list(range(1, 2001))
    (chart,) = charts({}, {"train/loss": (steps, [float(step) for step in steps])})
    assert len(chart.curves[0].x) <= MAX_POINTS
    assert (chart.curves[0].x[-1], chart.curves[0].y[-1]) == (2000, 2000.0)


def test_the_page_holds_its_scripts_to_their_hashes() -> None:
    html = render_page(made_up())
    assert html.count("plotly.js (basic - minified) v") == 1
    assert "connect-src" not in policy(())
    assert policy(("alert(1)",)).startswith(
        "default-src 'none'; script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    )
    assert len(html) < 1.5e6


def test_a_page_without_finite_numbers_is_refused() -> None:
    content = made_up()
    object.__setattr__(content.shared, "tau", math.nan)
    with pytest.raises(ValueError, match="JSON"):
        render_page(content)


def test_the_chart_library_is_the_recorded_one() -> None:
    recorded = json.loads((CHART_LIBRARY.parent / "plotly.json").read_text())
    script = gzip.decompress(CHART_LIBRARY.read_bytes())
    assert hashlib.sha256(script).hexdigest() == recorded["sha256"]
    assert f"v{recorded['version']}\n".encode() in script[:200]
    assert CHART_LIBRARY.stat().st_size < 1e6


def test_every_section_has_its_files_and_its_values() -> None:
    page = CHART_LIBRARY.parents[2]
    for section in SECTIONS:
        for folder, name, suffix in (
            ("scripts", section.script, "js"),
            ("templates", section.template, "html"),
            ("styles", section.style, "css"),
        ):
            assert not name or (page / folder / f"{name}.{suffix}").is_file()
        assert section.script or section.template
    keys = [section.key for section in SECTIONS]
    assert list(page_content(report_data(planted(), 3)).sections) == keys
    assert len(set(keys)) == len(keys)
    used = {f"{section.script}.js" for section in SECTIONS}
    assert {path.name for path in (page / "scripts").glob("*.js")} <= used


def test_every_image_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    table, pixels = planted(60), TensorSplit.pixels
    read: list[int] = []

    def counting(split: TensorSplit, indices: torch.Tensor) -> torch.Tensor:
        read.extend(indices.tolist())
        return pixels(split, indices)

    monkeypatch.setattr(TensorSplit, "pixels", counting)
    found = find_in_table(table, ReportOptions(samples=20), "test", [])
    images = read_images(TensorSplit(torch.rand(60, 1, 5, 5), table.labels), found)
    assert len(read) == len(set(read))
    assert images.samples.keys() == set(found.selection.rows)
    assert images.examples.keys() == set(found.example_rows)
