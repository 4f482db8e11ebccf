"""What each figure says, of values with a known answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.image import AxesImage

from interp_by_design import visualize as v
from interp_by_design.explain import GlobalExplanation
from interp_by_design.terms import AttributeNames, Decisions, Explanation, Players, Sample
from interp_by_design.visualize.relevance_figure import chosen_pairs
from interp_by_design.visualize.words import MINUS
from tests.visualize.samples import artists, bars, boxes, drawn, sheet, texts, words

CLASSES = ["cat", "dog", "owl"]
NAMES = AttributeNames({2: "whiskers"})


def reading(
    alpha: list[float], sufficient: bool = True, f: int = 1, tau: float = 5.0
) -> Explanation:
    contributions = torch.tensor(alpha)
    probabilities = torch.tensor([0.1, 0.7, 0.2]), torch.tensor([0.05, 0.9, 0.05])
    return Explanation(
        players=Players("attributes", len(alpha)),
        values=contributions,
        target="logit of class 1 under g",
        method="attribute times weight",
        input=Sample(7, 2),
        decisions=Decisions(f, 1, *probabilities),
        attributes=contributions.abs(),
        tau=tau,
        sufficient=sufficient,
    )


def global_(relevance: torch.Tensor, counts: torch.Tensor | None = None) -> GlobalExplanation:
    held = torch.ones(len(relevance), dtype=torch.long) if counts is None else counts
    return GlobalExplanation(
        relevance, held, torch.ones(relevance.shape[1]), relevance, int(held.sum())
    )


class TestRelevanceBars:
    def test_shown_attributes_come_as_signed_bars_the_strongest_first(self) -> None:
        figure = v.relevance_bars(reading([1.0, 0.1, -4.0, 0.0, 2.0]), CLASSES, NAMES)
        found = words(figure)
        assert [
            patch.get_width() * (1 if patch.get_x() == 0 else -1) for patch in bars(figure)
        ] == [-1.0, 0.5, 0.25]
        assert [patch.get_hatch() is not None for patch in bars(figure)] == [True, False, False]
        assert found.index("φ2 “whiskers”") < found.index("φ4") < found.index("φ0")
        assert MINUS + "1.00" in found
        assert MINUS + "4.00" in found
        assert "+0.50" in found
        assert "φ1" not in found

    def test_what_is_not_shown_is_described(self) -> None:
        assert "1 other attribute contributes less: 2 % of the evidence" in words(
            v.relevance_bars(reading([4.9, 0.1]), CLASSES, NAMES)
        )
        assert "6 more are above" in words(v.relevance_bars(reading([1.0] * 20), CLASSES, NAMES))

    def test_an_explanation_that_does_not_suffice_says_so(self) -> None:
        assert "not suffice" in words(
            v.relevance_bars(reading([1.0], sufficient=False), CLASSES, NAMES)
        )
        assert "not suffice" not in words(v.relevance_bars(reading([1.0]), CLASSES, NAMES))

    def test_nothing_active_is_said_and_no_bar_drawn(self) -> None:
        figure = v.relevance_bars(reading([0.0, 0.0]), CLASSES, NAMES)
        assert "Nothing is shown" in words(figure)
        assert bars(figure) == []

    def test_tau_decides_what_is_shown_and_is_named(self) -> None:
        figure = v.relevance_bars(reading([1.0, 0.3, 0.1], tau=20.0), CLASSES, NAMES)
        assert len(bars(figure)) == 3
        assert "τ = 20" in words(figure)


def test_the_local_figure_names_image_label_decisions_and_the_statement() -> None:
    explained = reading([1.0, -0.5], f=0)
    found = words(v.local_figure(torch.rand(1, 8, 8), explained, CLASSES, NAMES))
    assert found.startswith("Image 7: g decides “dog”, but f “cat”")
    assert "label owl" in " ".join(found.split())
    assert "cat, 10 %" in found
    assert "dog, 90 %" in found
    assert explained.statement(CLASSES)[:40] in found


def test_the_statement_names_classes_as_the_rest_of_the_figure_does() -> None:
    found = words(v.local_figure(torch.rand(1, 8, 8), reading([1.0]), ["a", "", "c"], NAMES))
    assert "f and g both decide “class 1”" in found
    assert "“”" not in found


@pytest.mark.parametrize(
    "name",
    [
        "attribute_sheet",
        "attribute_sheet many",
        "attribute_sheet bare",
        "local_figure",
        "local_figure wide",
    ],
)
def test_no_text_is_written_over_a_picture(name: str) -> None:
    figure = drawn(name, v.LIGHT).figure
    pictures = [image.get_window_extent() for image in artists(figure, AxesImage)]
    for text, (left, bottom, right, top) in boxes(figure):
        for image in pictures:
            apart = (
                right <= image.x0 + 1
                or left >= image.x1 - 1
                or top <= image.y0 + 1
                or bottom >= image.y1 - 1
            )
            assert apart, text


class TestRelevanceMap:
    def test_attributes_are_sorted_by_their_class_and_those_that_speak_for_none_come_last(
        self,
    ) -> None:
        relevance = torch.tensor(
            [
                [0.0, 0.5, 0.1, 0.0, 0.9, -0.95],
                [0.9, 0.0, 0.1, -0.8, 0.1, 0.0],
                [0.0, 0.3, 0.15, 0.6, 0.0, 0.0],
            ]
        )
        chosen = chosen_pairs(global_(relevance), 5.0)
        assert chosen.attributes == [4, 1, 0, 3, 5, 2]
        assert chosen.classes == [0, 1, 2]
        assert np.allclose(chosen.relevance, relevance[:, [4, 1, 0, 3, 5, 2]].numpy())

    def test_pairs_beyond_one_over_tau_hold_their_number_and_no_others(self) -> None:
        relevance = torch.tensor([[0.5, 0.19, -0.21], [0.0, 0.2, 1.0]])
        found = [
            text.get_text()
            for text in texts(v.relevance_map(global_(relevance), CLASSES, NAMES))
            if text.axes
        ]
        assert sorted(found) == sorted(["+.50", MINUS + ".21", "+1.00"])

    def test_where_no_number_fits_pairs_hold_their_sign(self) -> None:
        relevance = torch.zeros(2, 40)
        relevance[0, 3], relevance[1, 5], relevance[1, 6] = 0.5, 0.7, -0.4
        marks = [
            line
            for axes in v.relevance_map(global_(relevance), CLASSES, NAMES).axes
            for line in axes.lines
        ]
        places = sorted(
            (float(x), float(y), str(line.get_marker()))
            for line in marks
            for x, y in line.get_xydata()
        )
        assert places == [(0.5, 0.5, "+"), (1.5, 1.5, "+"), (2.5, 1.5, "_")]

    def test_of_many_the_strongest_are_shown_with_their_classes_and_the_rest_is_counted(
        self,
    ) -> None:
        relevance = torch.rand(300, 120, generator=torch.Generator().manual_seed(0)) * 0.1
        strong = list(range(5, 105, 4))
        for j in strong:
            relevance[2 * j, j] = 0.9
        chosen = chosen_pairs(global_(relevance), 5.0)
        assert set(strong) <= set(chosen.attributes)
        assert {2 * j for j in strong} <= set(chosen.classes)
        found = words(v.relevance_map(global_(relevance), [str(c) for c in range(300)], NAMES))
        assert "Left out: 70 attributes" in found
        assert "Left out: 250 classes" in found

    def test_undecided_classes_have_no_row_and_are_counted(self) -> None:
        relevance, counts = torch.eye(3), torch.tensor([5, 0, 2])
        assert chosen_pairs(global_(relevance, counts), 5.0).classes == [0, 2]
        assert "1 class that g decides on no image has no row" in words(
            v.relevance_map(global_(relevance, counts), CLASSES, NAMES)
        )

    def test_colours_are_those_of_the_values(self) -> None:
        relevance = torch.tensor([[1.0, -1.0], [0.0, 0.5]])
        image = v.relevance_map(global_(relevance), CLASSES, NAMES, theme=v.DARK).axes[0].images[0]
        wanted = v.DARK.signed_map()(np.array([[1.0, 0.0], [0.5, 0.75]]))
        assert np.allclose(np.asarray(image.get_array(), dtype=float), wanted)


class TestAttributeSheet:
    def test_every_image_is_drawn_once_and_named(self) -> None:
        figure = v.attribute_sheet(sheet(3, (1, 8, 8)), [f"c{c}" for c in range(10)], NAMES)
        assert len(artists(figure, AxesImage)) == 3 * 3 + 5
        found, checked = (
            words(figure),
            f"changes by {MINUS}50 %, without a random tenth by {MINUS}10 %",
        )
        assert found.startswith("Attribute φ2 “whiskers”")
        for expected in (
            "c1, φ 1.5",
            "φ 10.5",
            "image 2",
            "Active on < 0.1 %",
            checked,
        ):
            assert expected in found

    def test_what_the_sheet_lacks_is_left_out(self) -> None:
        figure = v.attribute_sheet(sheet(2, (1, 8, 8), bare=True), CLASSES, NAMES)
        assert len(artists(figure, AxesImage)) == 2 * 2
        assert "maximised" not in words(figure)
        assert "decoded" not in words(figure).lower()
        assert "random" not in words(figure)

    def test_an_attribute_that_nothing_activates_says_so(self) -> None:
        assert "No image activates this attribute" in words(
            v.attribute_sheet(sheet(0, (1, 8, 8)), CLASSES, NAMES)
        )

    def test_the_classes_it_speaks_for_come_with_their_sign_the_strongest_first(self) -> None:
        made = sheet(1, (1, 8, 8))
        made = replace(made, class_relevance=torch.tensor([0.01, -0.75, 0.5]))
        figure = v.attribute_sheet(made, CLASSES, NAMES)
        assert [(round(bar.get_x(), 2), round(bar.get_width(), 2)) for bar in bars(figure)] == [
            (-0.75, 0.75),
            (0.0, 0.5),
        ]
        names = [text.get_text() for text in texts(figure) if text.get_text() in CLASSES]
        assert names[-2:] == ["dog", "owl"]
