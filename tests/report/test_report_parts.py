"""What the page shows is what the tables say, and the images it shows are the images."""

from __future__ import annotations

import base64
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
from interp_by_design.explain import AttributeSheet, disagreement, explain_globally, local_columns
from interp_by_design.report.page import rendered
from interp_by_design.report.page.pictures import HEAT, heat_picture, picture, side_for
from interp_by_design.report.page.render import policy
from interp_by_design.report.page.sample_selection import AT_RANDOM, choose
from interp_by_design.report.page.scores import MOST_POINTS, charts, scorecard
from interp_by_design.report.page.section_values import (
    attribute_page,
    class_pages,
    exact,
    head_of,
    samples,
)
from interp_by_design.terms import InterpretationTable
from tests.metrics.tables import table_of
from tests.report.pages import SCORED, made_up


def planted(n: int = 400, n_classes: int = 4, n_attributes: int = 6) -> InterpretationTable:
    """f and g disagree now and then, f is wrong now and then, on rows that are not in the order of their images."""
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


def decoded(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2])))


def test_the_chosen_samples_hold_whatever_is_amiss() -> None:
    table = planted()
    columns = local_columns(table)
    choice = choose(table, columns, 60, "test", seed=3)
    rows = torch.tensor(choice.rows)
    assert len(set(choice.rows)) == 60
    assert (table.indices[rows].diff() > 0).all()
    for holds, words in (
        (~columns.agrees, "f and g disagree"),
        (~columns.correct, "f is wrong"),
        (~columns.sufficient, "is not sufficient"),
    ):
        assert int(holds[rows].sum()) >= min(10, int(holds.sum())) > 0
        assert f"{int(holds[rows].sum())} of the {int(holds.sum())} where" in choice.told
        assert words in choice.told
    assert 7 in choice.rows
    assert sum(reasons == (AT_RANDOM,) for reasons in choice.reasons.values()) > 5
    assert choice == choose(table, columns, 60, "test", seed=3)
    assert choice.rows != choose(table, columns, 60, "test", seed=4).rows


def test_typical_samples_are_those_nearest_to_their_class() -> None:
    table = planted()
    f, g = table.predictor.argmax(dim=1).tolist(), table.interpreter.argmax(dim=1).tolist()
    choice = choose(table, local_columns(table), 80, "test", seed=0)
    assert choice.typical.keys() == set(g)
    for c, found in choice.typical.items():
        same = [row for row in range(len(table)) if f[row] == g[row] == c]
        mean = [
            math.fsum(float(table.attributes[row, j]) for row in same) / len(same) for j in range(6)
        ]
        far = {row: math.dist(mean, table.attributes[row].tolist()) for row in same}
        assert list(found) == sorted(same, key=far.__getitem__)[: len(found)]


def test_of_few_images_all_are_chosen() -> None:
    table = planted(20)
    choice = choose(table, local_columns(table), 200, "val", seed=0)
    assert choice.rows == tuple(range(20))
    assert choice.told == "All 20 images of val."


def test_a_page_may_hold_no_samples() -> None:
    assert choose(planted(), local_columns(planted()), 0, "test", seed=0).rows == ()


def test_classes_count_what_the_table_says() -> None:
    table = planted()
    choice = choose(table, local_columns(table), 40, "test", seed=0)
    pages = class_pages(table, explain_globally(table), disagreement(table), choice)
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
        assert [choice.rows[place] for place in page.typical] == list(choice.typical.get(c, ()))


def test_a_class_that_never_occurs_has_no_page() -> None:
    table = table_of([[1.0]], [[1.0], [0.5], [0.0]], f=[[0.0, 1.0, 0.0]], labels=[1.0])
    pages = class_pages(
        table,
        explain_globally(table),
        disagreement(table),
        choose(table, local_columns(table), 1, "test", 0),
    )
    assert [(page.index, bool(page.relevance)) for page in pages] == [(0, True), (1, False)]
    assert [page.fidelity for page in pages] == [None, 0]  # f decides 1, and g 0


def test_samples_are_rows_of_the_table() -> None:
    table = planted(50)
    images = torch.rand(50, 1, 5, 5)
    columns = local_columns(table)
    choice = choose(table, columns, 20, "test", seed=0)
    found = samples(table, columns, TensorSplit(images, table.labels), choice, "abcd", 64)
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
        assert sample.sufficient == bool(columns.sufficient[row])


def test_numbers_the_page_computes_with_are_whole() -> None:
    draws = torch.randn(1000) * 10.0 ** torch.randint(-20, 20, (1000,))
    assert torch.tensor(json.loads(json.dumps(exact(draws)))).equal(draws)
    assert torch.tensor(head_of(planted()).weights).equal(planted().head_weights)


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
        heatmap_method="evidence",
        deletion=math.nan,
        deletion_random=0.25,
        sweep=torch.rand(5, 3, 6, 6),
        levels=torch.linspace(0, 2, 5),
        active_share=0.5,
        class_relevance=torch.rand(3),
    )
    page = attribute_page(sheet, 0.25, 3.0, 64)
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
    told = scorecard(SCORED | {"test/fidelity": 0.98, "test/odd": 2.0}, 25, 5.0)
    rows = {row.key: row for row in told.rows}
    assert (rows["fidelity"].failed, rows["fidelity"].bound, rows["fidelity"].values) == (
        False,
        "≥ 0.97",
        ("0.5000", "0.9800"),
    )
    assert rows["fidelity_hard"].failed
    assert rows["odd"].values == ("", "2")
    assert "conciseness@2" not in rows
    assert "conciseness_abs@5" in rows
    assert told.verdict.startswith(
        "7 of 14 judged scores on test are beyond the gate: fidelity_hard (0.5000, gate ≥ 0.7), "
    )
    assert [line.value for line in told.headlines][:3] == ["50.0 %", "50.0 %", "98.0 %"]


def test_a_run_without_scores_is_told_so() -> None:
    told = scorecard({}, 25, 5.0)
    assert (told.splits, told.rows, told.headlines) == ((), (), ())
    assert charts({}, {}) == ()
    assert "could be judged" in told.verdict
    assert (
        scorecard({"val/fidelity": 1.0, "train/seconds": 3.0}, 25, 5.0).headlines[0].value
        == "100 %"
    )


def test_long_curves_are_thinned_and_keep_their_end() -> None:
    steps = list(range(1, 2001))
    (chart,) = charts({}, {"train/loss": (steps, [float(step) for step in steps])})
    assert len(chart.curves[0].x) <= MOST_POINTS
    assert (chart.curves[0].x[-1], chart.curves[0].y[-1]) == (2000, 2000.0)


def test_the_page_holds_its_scripts_to_their_hashes() -> None:
    html = rendered(made_up())
    assert html.count("plotly.js v") == 1
    assert "connect-src" not in policy(())
    assert policy(("alert(1)",)).startswith(
        "default-src 'none'; script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    )
    assert len(html) < 5.5e6


def test_a_page_without_finite_numbers_is_refused() -> None:
    content = made_up()
    object.__setattr__(content.findings, "tau", math.nan)
    with pytest.raises(ValueError, match="JSON"):
        rendered(content)
