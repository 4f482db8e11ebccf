"""Rules of every figure: it shows something, says what and over which data, and no text is cut."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from interp_by_design.visualize import DARK, LIGHT, Theme
from tests.visualize.samples import FIGURES, OVER, boxes, colour, drawn, pixels, texts, words

pytestmark = pytest.mark.parametrize("name", FIGURES)

UNFRIENDLY = {
    "text.usetex": True,
    "font.size": 30.0,
    "font.family": ["serif"],
    "font.weight": "bold",
    "figure.constrained_layout.use": True,
    "figure.facecolor": "red",
    "axes.grid": True,
    "axes.facecolor": "red",
    "axes.xmargin": 0.4,
    "axes.ymargin": 0.4,
    "axes.prop_cycle": matplotlib.cycler(color=["red"], marker=["*"], linestyle=[":"]),
    "lines.linewidth": 9.0,
    "lines.marker": "*",
    "lines.dashed_pattern": [9.0, 9.0],
    "patch.linewidth": 9.0,
    "patch.force_edgecolor": True,
    "image.cmap": "jet",
    "image.interpolation": "bicubic",
    "image.origin": "lower",
    "image.aspect": "equal",
    "hatch.color": "red",
    "hatch.linewidth": 5.0,
    "text.color": "red",
    "text.parse_math": True,
}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_it_is_drawn_on_the_themes_page_with_its_ink(name: str, theme: Theme) -> None:
    image = drawn(name, theme).image
    assert colour(image, theme.page) > 0.2 * image.shape[0] * image.shape[1]
    assert colour(image, theme.ink) > 20  # the title at least


def test_it_says_what_it_shows_and_over_which_data(name: str) -> None:
    figure = drawn(name, LIGHT).figure
    title = texts(figure)[0]
    assert title.get_fontweight() == "bold"
    assert OVER in words(figure)


def test_no_text_is_cut_off(name: str) -> None:
    figure = drawn(name, LIGHT).figure
    across, down = figure.bbox.width, figure.bbox.height
    outside = [
        text
        for text, (left, bottom, right, top) in boxes(figure)
        if left < 0 or bottom < 0 or right > across or top > down
    ]
    assert outside == []


def test_no_text_is_written_over_another(name: str) -> None:
    found = boxes(drawn(name, LIGHT).figure)
    places = np.array([box for _, box in found])
    low, high = places[:, None, :2], places[:, None, 2:]
    meet = ((np.minimum(high, places[None, :, 2:]) - np.maximum(low, places[None, :, :2])) > 1).all(
        axis=2
    )
    pairs = [(found[a][0], found[b][0]) for a, b in np.argwhere(np.triu(meet, 1))]
    assert pairs == []


def test_text_from_outside_is_never_mathematics_and_stays_on_one_line(name: str) -> None:
    for text in texts(drawn(name, LIGHT).figure):
        assert not text.get_parse_math()
        assert not text.get_usetex()
        assert "\n" not in text.get_text()


def test_letters_can_be_read(name: str) -> None:
    assert min(text.get_fontsize() for text in texts(drawn(name, LIGHT).figure)) >= 6


def test_the_same_values_make_the_same_picture_with_any_settings_of_a_user(name: str) -> None:
    with matplotlib.rc_context(UNFRIENDLY):
        before = dict(matplotlib.rcParams)
        figure = FIGURES[name](LIGHT)
        assert dict(matplotlib.rcParams) == before
    assert np.array_equal(pixels(figure), drawn(name, LIGHT).image)


def test_nothing_is_left_on_the_figure_that_would_slow_it_down(name: str) -> None:
    figure = drawn(name, LIGHT).figure
    assert isinstance(figure, Figure)
    assert len(figure.axes) <= 14
    assert len(texts(figure)) <= 450
