"""Pictures of results: one of each data set and theme, with a mark for every setting."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks.pages.pictures import (
    PANELS,
    _label_places,
    _points,
    kind_of,
    picture,
    pictures_section,
    with_controls,
    write_pictures,
)
from benchmarks.runs import by_setting, recorded
from benchmarks.tracks import bare
from interp_by_design.visualize.plot import Scale
from interp_by_design.visualize.theme import DARK, LIGHT
from tests.benchmarks.invented_runs import everything, of, run

SETTINGS = ["mnist", "mnist interpreter=frozen_random", "mnist interpreter=relabelled"]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def test_every_setting_is_named_and_marked_in_every_panel() -> None:
    figure = picture("mnist", SETTINGS, everything(), LIGHT).figure
    for number, setting in enumerate(SETTINGS, start=1):
        assert any(text.startswith(f"{number} {setting} (") for text in texts(figure)), texts(
            figure
        )
        assert sum(
            label.get_text() == str(number) for axes in figure.axes for label in axes.texts
        ) == len(PANELS)


def test_what_was_not_measured_has_no_mark() -> None:
    groups = of(run(0, conciseness_abs_at_5=3.0), run(0, setting="mnist attributes.k=2"))
    assert [point.number for point in _points(list(groups), groups, "conciseness_abs@5")] == [1]
    assert _points(list(groups), groups, "logit_predictability") == []
    picture("mnist", list(groups), groups, DARK)


def test_a_point_is_the_mean_over_seeds_with_its_deviation() -> None:
    groups = of(run(0, 0.9, kl=1.0), run(1, 0.8, kl=2.0))
    (point,) = _points(["mnist"], groups, "kl")
    assert (point.x, point.y, point.dx, point.dy) == pytest.approx(
        (1.5, 0.85, 0.5**0.5, 0.005**0.5)
    )


def test_numbers_stand_apart() -> None:
    groups = of(
        *(run(0, 0.9 + i / 1000, f"mnist a={i}", kl=1.0 + i / 1000) for i in range(4)),
        run(0, 0.5, "mnist b=1", kl=3.0),
    )
    points = _points(list(groups), groups, "kl")
    across, up = (
        Scale.of(np.array(values), log=False)
        for values in ([p.x for p in points], [p.y for p in points])
    )
    for one, other in combinations(_label_places(points, across, up), 2):
        assert np.hypot(one[0] - other[0], one[1] - other[1]) > 0.01


def test_kinds_differ() -> None:
    kinds = {
        "mnist": "ours",
        "mnist_flint": "published",
        "mnist interpreter=relabelled": "control",
        "mnist attributes.k=2": "other",
    }
    assert {setting: kind_of(setting) for setting in kinds} == kinds


def test_there_is_a_picture_for_light_and_dark_and_the_page_shows_the_readers(
    tmp_path: Path,
) -> None:
    groups = everything() | of(run(0, setting="digits"))
    write_pictures(groups, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mnist-dark.png", "mnist.png"], (
        "one setting alone is no comparison"
    )
    section = pictures_section(groups, Path("pictures/results"))
    assert 'srcset="pictures/results/mnist-dark.png"' in section
    assert 'src="pictures/results/mnist.png"' in section
    again = tmp_path / "again"
    write_pictures(groups, again)
    assert (again / "mnist.png").read_bytes() == (tmp_path / "mnist.png").read_bytes()


def test_controls_that_were_fitted_to_a_run_are_settings_of_their_own() -> None:
    fitted = run(0, 0.9) | {"controls": {"relabelled": {"fidelity": 1.0, "kl": 0.5}}}
    groups = with_controls(of(fitted, run(1, 0.8)))
    (point,) = _points(["mnist interpreter=relabelled"], groups, "kl")
    assert (point.kind, point.x, point.y) == ("control", 0.5, 1.0)
    assert len(groups["mnist"]) == 2


def test_f_alone_is_in_no_picture() -> None:
    assert pictures_section(of(run(0), run(0, setting=bare("mnist"))), Path("x")) == ""


def test_the_record_that_is_there_can_be_drawn(tmp_path: Path) -> None:
    groups = by_setting(recorded())
    write_pictures(groups, tmp_path)
    for file in tmp_path.iterdir():
        assert f"results/{file.name}" in pictures_section(groups, Path("results"))
