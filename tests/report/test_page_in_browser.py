"""The page in a real browser, opened from disk.

`visit` fails a test whose page logs to the console, raises, or requests anything else.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from interp_by_design.report.names import read_names
from interp_by_design.report.page import PageContent, render_page
from interp_by_design.report.page.sections import SECTIONS
from tests.report.pages import made_up

TABS = tuple(section.key for section in SECTIONS)
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><b>bold</b>",
    "%{x} <i>$a$</i> &lt;",
    "'\"`{{ 7 * 7 }}",
    "名前 é",
)
Visit = Callable[..., Any]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[PageContent], Path]:
    def write(content: PageContent) -> Path:
        (tmp_path / "report.html").write_text(render_page(content), encoding="utf-8")
        return tmp_path / "report.html"

    return write


@pytest.fixture
def page(visit: Visit, write: Callable[[PageContent], Path]) -> Any:
    return visit(write(made_up(names={1: "closed loop"})))


def go(page: Any, where: str) -> None:
    page.evaluate("where => { location.hash = where; }", where)
    page.wait_for_selector(f"#panel-{where.partition('/')[0]}:not([hidden])")


def answers(page: Any) -> list[float]:
    """g's probabilities as the page computed them, of every class."""
    return page.eval_on_selector_all(
        "#what-if-result [data-interpreter]",
        "all => all.map(cell => Number(cell.dataset.interpreter))",
    )


def moved(page: Any, attribute: int, value: float) -> float:
    """Moves a slider as far as its steps allow, and says to where."""
    slider = page.locator(f"#slider-{attribute}")
    slider.evaluate(
        "(slider, value) => { slider.value = value;"
        " slider.dispatchEvent(new Event('input', {bubbles: true})); }",
        value,
    )
    return float(slider.input_value())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tab_shows_something(
    visit: Visit, write: Callable[[PageContent], Path], scheme: str
) -> None:
    page = visit(write(made_up()), scheme=scheme)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    for tab in TABS:
        page.locator(f"#tab-{tab}").click()
        page.wait_for_selector(f"#panel-{tab}:not([hidden])")
        assert page.locator("[role=tabpanel]:visible").count() == 1
        assert len(page.locator(f"#panel-{tab}").inner_text()) > 50
        shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"), dtype=float)
        assert shot.std() > 5
        assert (shot.mean() < 100) == (scheme == "dark")


def test_charts_are_drawn_when_their_tab_opens(page: Any) -> None:
    page.wait_for_selector("#panel-overview .chart svg .scatterlayer .points")
    assert page.locator("#panel-overview .chart").count() == len(
        made_up().sections["overview"].charts
    )
    assert page.locator("#relevance-map").count() == 0
    go(page, "classes")
    page.wait_for_selector("#relevance-map tbody td")
    assert page.locator("#relevance-map tbody td").count() == 10 * 5


def test_a_class_says_how_often_g_agrees(page: Any) -> None:
    go(page, "classes/0")
    assert "Where f decides it, g agrees on 90.0 %." in page.locator("#panel-classes").inner_text()


def test_the_theme_can_be_chosen(page: Any) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(background) != light
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_tabs_work_by_keyboard(page: Any) -> None:
    page.locator("#tab-overview").focus()
    pressed = {"ArrowRight": "attributes", "End": "run", "Home": "overview", "ArrowLeft": "run"}
    for key, tab in pressed.items():
        page.keyboard.press(key)
        page.wait_for_selector(f"#panel-{tab}:not([hidden])")
        assert page.evaluate("document.activeElement.id") == f"tab-{tab}"
        assert page.locator("[role=tab][aria-selected=true]").get_attribute("id") == f"tab-{tab}"
        assert page.locator("[role=tab][tabindex='0']").count() == 1
    page.go_back()
    page.wait_for_selector("#panel-overview:not([hidden])")


def test_the_content_can_be_skipped_to_from_any_tab(page: Any) -> None:
    go(page, "names")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel-names:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_cell_of_the_map_opens_its_attribute(page: Any) -> None:
    go(page, "classes")
    page.locator("#relevance-map td[data-class='1'][data-attribute='2']").click()
    page.wait_for_selector("#panel-attributes h2:has-text('φ2')")


def test_a_page_without_samples_says_so(visit: Visit, write: Callable[[PageContent], Path]) -> None:
    page = visit(write(made_up(n_samples=0)))
    for where in ("samples", "what-if"):
        go(page, where)
        assert "This report has no samples." in page.locator(f"#panel-{where}").inner_text()


def test_attributes_are_sorted_and_found(page: Any) -> None:
    go(page, "attributes")
    headings = page.locator("#panel-attributes .card h3")
    assert headings.all_inner_texts() == ["φ0", "φ1 “closed loop”", "φ2", "φ3", "φ4"]
    page.select_option("#sort", "usage")
    assert headings.all_inner_texts() == ["φ4", "φ3", "φ2", "φ1 “closed loop”", "φ0"]
    page.select_option("#sort-class", "7")
    weights = np.clip(made_up().shared.head.weights[7], -1, 1)
    expected = sorted(range(5), key=lambda j: (-abs(weights[j]), j))
    assert [int(re.findall(r"\d+", text)[0]) for text in headings.all_inner_texts()] == expected
    page.fill("#find-attribute", "LOOP")
    assert headings.all_inner_texts() == ["φ1 “closed loop”"]
    headings.first.click()
    page.wait_for_selector("#panel-attributes h2:has-text('closed loop')")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert page.locator("#panel-attributes .heated").count() == 3
    assert (
        "falls by 60.0 %; without a random tenth, it falls by 10.0 %"
        in page.locator("#panel-attributes").inner_text()
    )


def test_samples_are_filtered(page: Any) -> None:
    go(page, "samples")
    samples = made_up().sections["samples"].items
    thumbs = page.locator("#panel-samples .thumbs a")
    assert thumbs.count() == len(samples)
    page.select_option("#kind", "disagree")
    assert thumbs.count() == sum(sample.predictor != sample.interpreter for sample in samples) > 0
    page.select_option("#kind", "insufficient")
    assert thumbs.count() == sum(not sample.sufficient for sample in samples) > 0
    page.select_option("#label", "0")
    chosen = [sample for sample in samples if not sample.sufficient and sample.label == 0]
    assert thumbs.count() == len(chosen)
    thumbs.first.click()
    page.wait_for_selector(f"#panel-samples h2:has-text('Sample {chosen[0].index} of test')")
    assert (
        page.locator("#panel-samples .badge").all_inner_texts()[-1]
        == "what is shown is not sufficient"
    )
    assert page.locator(".thumbs [aria-current]").count() == 1


def test_the_page_decides_as_the_head_does(page: Any) -> None:
    go(page, "what-if/4")
    content = made_up()
    weights, bias = (
        torch.tensor(part, dtype=torch.float64)
        for part in (content.shared.head.weights, content.shared.head.bias)
    )
    phi = torch.tensor(content.sections["samples"].items[4].attributes, dtype=torch.float64)
    before = answers(page)
    assert before == pytest.approx((weights @ phi + bias).softmax(dim=0).tolist(), abs=1e-12)
    phi[2] = moved(page, 2, 0.7)
    assert phi[2] == pytest.approx(0.7, abs=0.02)
    assert answers(page) != before
    assert answers(page) == pytest.approx((weights @ phi + bias).softmax(dim=0).tolist(), abs=1e-12)
    page.click("#all-zero")
    assert answers(page) == pytest.approx(bias.softmax(dim=0).tolist(), abs=1e-12)
    page.click("#reset")
    assert answers(page) == before
    page.locator("#panel-what-if [aria-live]:has-text('g decides')").wait_for()


def test_a_slider_moves_by_keyboard(page: Any) -> None:
    go(page, "what-if/4")
    before = answers(page)
    attribute = int(
        page.locator(".sliders input").first.get_attribute("id").removeprefix("slider-")
    )
    page.locator(f"#slider-{attribute}").focus()
    page.keyboard.press("Home")
    assert (
        page.locator(f"#slider-{attribute}")
        .get_attribute("aria-valuetext")
        .startswith("0.00, adds")
    )
    assert answers(page) != before


def test_typed_names_are_shown_and_can_be_kept(page: Any, tmp_path: Path) -> None:
    go(page, "names")
    page.fill("#name-3", ' the "left" stroke: ')
    page.fill("#name-1", "")
    with page.expect_download() as downloading:
        page.click("#save-names")
    assert downloading.value.suggested_filename == "names.yaml"
    downloading.value.save_as(tmp_path / "kept/names.yaml")
    assert read_names(tmp_path / "kept", 5).names == {3: 'the "left" stroke:'}
    go(page, "attributes")
    assert page.locator(".card h3").all_inner_texts()[1:4:2] == ["φ1", 'φ3 “the "left" stroke:”']
    go(page, "what-if")
    assert 'φ3 “the "left" stroke:”' in page.locator("#panel-what-if").inner_text()


def test_what_a_data_set_says_is_shown_as_text(
    visit: Visit, write: Callable[[PageContent], Path]
) -> None:
    asked = []
    page = visit(write(made_up(HOSTILE, names={0: HOSTILE[0], 1: HOSTILE[1]})))
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    go(page, "classes")
    page.wait_for_selector("#relevance-map tbody td")
    assert page.locator(".links a span").all_inner_texts() == list(HOSTILE)
    assert page.locator("#relevance-map tbody th").all_text_contents() == list(HOSTILE)
    page.locator("#relevance-map td[data-class='2'][data-attribute='2']").hover()
    readout = page.locator("#panel-classes .readout")
    assert readout.text_content().startswith(f"φ2 for {HOSTILE[2]}: ")
    for where in ("classes/0", "attributes", "attributes/0", "samples/1", "what-if/1", "names"):
        go(page, where)
        assert HOSTILE[0] in page.locator(f"#panel-{where.partition('/')[0]}").inner_html().replace(
            "&lt;", "<"
        ).replace("&gt;", ">")
    assert page.locator("img[src='x'], main b").count() == 0
    assert asked == []


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_scrolls_up_and_down_alone(
    visit: Visit, write: Callable[[PageContent], Path], width: int
) -> None:
    names = ("a-class-with-a-name-that-never-ends-and-has-no-space-in-it", *"bcdefghij")
    page = visit(write(made_up(names, n_attributes=36, names={3: "x" * 60})), width=width)
    for where in (*TABS, "attributes/3", "classes/0", "samples/1"):
        go(page, where)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where


def test_a_thousand_classes_stay_usable(visit: Visit, write: Callable[[PageContent], Path]) -> None:
    page = visit(write(made_up(tuple(f"class {c}" for c in range(1000)), n_attributes=36)))
    go(page, "classes")
    assert page.locator(".links a").count() == 20
    assert (
        "980 classes occur neither as label nor as a decision"
        in page.locator("#panel-classes").inner_text()
    )
    page.fill("#find-class", "CLASS 1")
    assert page.locator(".links a").count() == 11
    go(page, "what-if/3")
    assert 1 < page.locator("#what-if-result tbody tr").count() < 20


def test_every_control_and_image_has_words(page: Any) -> None:
    for where in (*TABS, "attributes/3", "classes/0", "samples/1"):
        go(page, where)
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll('main :is(input, select, button, a, img)')]
                .filter(each => each.offsetParent && !(each.labels?.length
                    || each.textContent.trim() || each.ariaLabel
                    || each.hasAttribute('alt') || each.querySelector('img[alt]:not([alt=""])')))
                .map(each => each.outerHTML.slice(0, 200))"""
        )
        assert unnamed == [], where
    assert page.evaluate(
        "[...document.querySelectorAll('[id]')].map(each => each.id).length"
    ) == page.evaluate("new Set([...document.querySelectorAll('[id]')].map(each => each.id)).size")
