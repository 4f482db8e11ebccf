"""What curves, usage, confusion and drift say, of values with a known answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from interp_by_design import visualize as v
from interp_by_design.terms import AttributeNames
from interp_by_design.visualize.confusion_figure import chosen_classes
from interp_by_design.visualize.curves import MAX_POINTS
from interp_by_design.visualize.plot import Scale, tick_words
from interp_by_design.visualize.schedule import settled
from interp_by_design.visualize.words import MINUS
from tests.visualize.samples import bars, pixels, texts, words

CLASSES = ["cat", "dog", "owl"]
NAMES = AttributeNames({2: "whiskers"})


class TestCurves:
    def test_curves_over_tau_are_the_scores_of_one_split(self) -> None:
        scores = {
            "test/conciseness@2": 1.5,
            "test/conciseness@5": 2.0,
            "val/conciseness@2": 9.0,
            "test/fidelity": 0.9,
            "step": 3.0,
        }
        bare = {
            key.removeprefix("test/"): value
            for key, value in scores.items()
            if key.startswith("test/")
        }
        assert np.array_equal(pixels(v.tau_curves(scores)), pixels(v.tau_curves(bare)))
        assert not np.array_equal(pixels(v.tau_curves(scores)), pixels(v.tau_curves({})))

    def test_a_curve_lies_where_its_values_are(self) -> None:
        figure = v.tau_curves({"sufficiency@2": 0.8, "sufficiency@4": 0.9, "sufficiency@3": 0.85})
        line = next(line for axes in figure.axes for line in axes.lines)
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert x[1] - x[0] == pytest.approx(x[2] - x[1])  # sorted by τ
        assert y[1] - y[0] == pytest.approx(y[2] - y[1])
        assert y[0] < y[2]

    def test_terms_share_a_panel_and_splits_look_the_same_everywhere(self) -> None:
        history = {
            "val/kl": ([1], [1.0]),
            "train/kl": ([1, 2], [1.0, 2.0]),
            "val/loss": ([1, 2], [3.0, 4.0]),
        }
        figure = v.loss_curves(history)
        assert len(figure.axes) == 2
        dashes = {
            len(axes.lines): [line.get_linestyle() for line in axes.lines] for axes in figure.axes
        }
        assert dashes[2] == ["--", "--"]  # loss: val and its sample in the legend
        assert dashes[4][:2] == ["--", "-"]
        titles = [text.get_text() for text in texts(figure) if text.get_fontweight() == "bold"]
        assert titles == ["Training, term by term", "loss", "kl"]

    def test_many_values_become_means_over_equal_stretches(self) -> None:
        steps = list(range(1000))
        values = [float((step * 7919) % 1000) for step in steps]
        line = v.loss_curves({"train/x": (steps, values)}).axes[0].lines[0]
        found = np.asarray(line.get_ydata())
        means = [sum(values[4 * i : 4 * i + 4]) / 4 for i in range(MAX_POINTS)]
        scale = Scale.of(np.array(means), n=4)
        assert found == pytest.approx(
            [(mean - scale.low) / (scale.high - scale.low) for mean in means]
        )

    def test_values_that_are_not_finite_leave_a_gap_and_are_counted(self) -> None:
        figure = v.loss_curves({"train/loss": ([1, 2, 3, 4], [1.0, math.nan, math.inf, 2.0])})
        assert [math.isnan(y) for y in figure.axes[0].lines[0].get_ydata()] == [
            False,
            True,
            True,
            False,
        ]
        assert "loss: 2 values not finite" in words(figure)

    def test_terms_beyond_the_twelfth_are_named(self) -> None:
        found = words(v.loss_curves({f"val/t{i}": ([1], [1.0]) for i in range(14)}))
        assert "Left out: t12, t13." in found


class TestScale:
    @pytest.mark.parametrize(
        ("values", "log"),
        [
            ([1, 2], False),
            ([0.001, 10], True),
            ([-1, 1000], False),
            ([3], False),
            ([], False),
            ([math.nan], False),
        ],
    )
    def test_it_holds_its_values_within_0_and_1(self, values: list[float], log: bool) -> None:
        scale = Scale.of(np.array(values, dtype=float))
        assert scale.log == log
        assert all(0 <= scale.at(value) <= 1 for value in values if math.isfinite(value))
        assert all(-1e-9 <= scale.at(tick) <= 1 + 1e-9 for tick, _ in scale.ticks)

    def test_bounds_are_reached_and_not_passed(self) -> None:
        scale = Scale.of(np.array([0.2, 0.9]), bounds=(0.0, 1.0))
        assert (scale.low, scale.high) == (0.0, 1.0)

    def test_ticks_are_never_rounded_to_what_they_are_not(self) -> None:
        factors = {"k": 1e3, "M": 1e6, "G": 1e9}
        for ticks in (
            [0.9925, 0.995, 0.9975],
            [1000.0, 2500.0],
            [0, 5e5, 1e6],
            [1e-7, 2e-7],
            [12_500.0, 25_000.0],
            [0.98766, 0.98768],
        ):
            for tick, text in zip(ticks, tick_words(ticks), strict=True):
                text = text.replace(MINUS, "-")
                value = float(text[:-1]) * factors[text[-1]] if text[-1] in factors else float(text)
                assert value == pytest.approx(tick, rel=1e-9)


def test_a_factor_is_written_where_it_settles_and_not_on_its_ramp() -> None:
    assert settled([1, 2, 3, 4, 5, 6], [0, 0, 0.3, 0.6, 0.6, 1.0]) == [(1, 0), (4, 0.6), (6, 1.0)]
    assert settled([], []) == []


class TestUsage:
    def test_the_most_used_come_first_with_their_share_and_odd_ones_hatched(self) -> None:
        figure = v.usage(torch.tensor([0.2, 0.0, 0.999, 0.5]), NAMES)
        assert [patch.get_width() for patch in bars(figure)] == pytest.approx(
            [0.999, 0.5, 0.2, 0.0]
        )
        assert [patch.get_hatch() is not None for patch in bars(figure)] == [
            True,
            False,
            False,
            True,
        ]
        found = words(figure)
        assert found.startswith("How often attributes are active: 1 of 4 dead, 1 always on")
        assert "99.9 % always on" in found
        assert "0 % dead" in found
        assert found.index("φ2") < found.index("φ3") < found.index("φ0")

    def test_of_very_many_the_middle_is_left_out_and_counted(self) -> None:
        figure = v.usage(torch.linspace(0, 0.9, 300), AttributeNames())
        found = [text.get_text() for text in texts(figure)]
        assert "100 attributes in between left out" in words(figure)
        assert {"φ299", "φ200", "φ99", "φ0"} <= set(found)
        assert not {"φ100", "φ199"} & set(found)


class TestConfusion:
    def test_every_count_stands_in_its_cell(self) -> None:
        counts = torch.tensor([[5, 2, 0], [0, 7, 1], [0, 0, 0]])
        figure = v.confusion(counts, CLASSES)
        found = {text.get_position(): text.get_text() for text in texts(figure) if text.axes}
        assert found == {(0.5, 0.5): "5", (1.5, 0.5): "2", (1.5, 1.5): "7", (2.5, 1.5): "1"}
        assert words(figure).startswith("f and g differ on 3 images of 15 (20 %)")

    def test_of_many_classes_those_that_are_confused_most_are_shown(self) -> None:
        counts = torch.eye(200, dtype=torch.long) * 100
        planted = [(150, 3), (199, 42), (7, 8)]
        for f, g in planted:
            counts[f, g] = 20
        counts[60, 61] = 1
        chosen = chosen_classes(counts.numpy())
        assert chosen == sorted(chosen)
        assert len(chosen) == 30
        assert {c for pair in planted for c in pair} | {60, 61} <= set(chosen)

    def test_what_is_left_out_is_counted(self) -> None:
        counts = torch.eye(60, dtype=torch.long)
        counts += torch.roll(torch.eye(60, dtype=torch.long), 1, dims=1)
        found = words(v.confusion(counts, [str(c) for c in range(60)]))
        kept = sum(
            int(counts[a, b]) for a in range(30) for b in range(30) if a != b
        )  # of equals, the first
        assert f"30 classes of 60 left out, with {60 - kept} of 60 disagreements" in found


class TestDrift:
    def test_the_least_steady_come_first_with_their_numbers(self) -> None:
        correlations = torch.tensor([[0.99, 0.2, math.nan], [0.95, -0.5, math.nan]])
        figure = v.drift([3, 4], correlations, NAMES)
        found = words(figure)
        assert found.index("φ1") < found.index("φ0") < found.index("φ2")
        assert [text.get_text() for text in texts(figure) if text.axes] == ["+.20", MINUS + ".50"]
        crosses = [line for axes in figure.axes for line in axes.lines if line.get_marker() == "x"]
        assert [len(line.get_xdata()) for line in crosses] == [2]
        opacity = np.asarray(figure.axes[0].images[0].get_array())[..., 3]
        assert opacity.tolist() == [[1, 1], [1, 1], [0, 0]]  # no colour where there is no value
        assert "in the last interval, 1 of 3 correlate by 0.9 or more" in found

    def test_of_many_epochs_the_last_are_shown(self) -> None:
        found = words(v.drift(list(range(1, 101)), torch.ones(100, 2), NAMES))
        assert "Left out: the first 40 intervals" in found
        assert found.split().count("41") == 1
        assert "40" not in found.split()[:20]
