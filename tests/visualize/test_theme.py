"""Colours: text is readable, and colours differ for colour-blind people too."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from interp_by_design.visualize import DARK, LIGHT, Theme
from interp_by_design.visualize.theme import luminance

pytestmark = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)

# Machado, Oliveira and Fernandes (2009): how linear RGB looks to people without one kind of cones.
DEFICIENCIES = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def slow_luminance(colour: str) -> float:
    total = 0.0
    for share, part in zip((0.2126, 0.7152, 0.0722), to_rgb(colour), strict=True):
        total += share * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
    return total


def contrast(a: str, b: str) -> float:
    low, high = sorted((slow_luminance(a), slow_luminance(b)))
    return (high + 0.05) / (low + 0.05)


def lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB, in which distances are about as large as they look, of linear sRGB."""
    xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ) @ linear.clip(0, 1)
    f = [
        np.cbrt(t) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116
        for t in xyz / [0.9505, 1.0, 1.089]
    ]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def seen(colour: str, deficiency: str) -> NDArray[np.float64]:
    parts = np.array(to_rgb(colour))
    return lab(
        np.array(DEFICIENCIES[deficiency])
        @ np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    )


def test_text_stands_out_from_the_page(theme: Theme) -> None:
    assert contrast(theme.ink, theme.page) >= 7
    assert contrast(theme.muted, theme.page) >= 4.5
    assert contrast(theme.ink, theme.faint) >= 4.5  # counts on the diagonal of a confusion


def test_lines_and_bars_stand_out_from_the_page(theme: Theme) -> None:
    assert (
        min(
            contrast(colour, theme.page)
            for colour in (*theme.categories, theme.positive, theme.negative)
        )
        >= 3
    )


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_colours_differ_for_colour_blind_people(theme: Theme, deficiency: str) -> None:
    pairs = [
        *combinations(theme.categories, 2),
        (theme.positive, theme.negative),
        (theme.signed[0], theme.signed[-1]),
    ]
    for a, b in pairs:
        assert np.linalg.norm(seen(a, deficiency) - seen(b, deficiency)) > 10, (a, b)


def test_signed_colours_are_near_the_page_at_0_and_ever_further_from_it_to_both_sides(
    theme: Theme,
) -> None:
    shades = theme.signed_map()(np.linspace(0, 1, 201))
    away = np.abs(luminance(shades) - slow_luminance(theme.page))
    assert away[100] < 0.1
    assert (np.diff(away[:101]) <= 1e-3).all()
    assert (np.diff(away[100:]) >= -1e-3).all()


def test_ink_is_read_on_every_colour_of_both_maps(theme: Theme) -> None:
    for colours in (theme.signed_map(), theme.magnitude_map()):
        shades = colours(np.linspace(0, 1, 101))
        for shade, ink in zip(shades, theme.ink_on(shades), strict=True):
            a, b = luminance(shade), slow_luminance(ink)
            assert (max(a, b) + 0.05) / (min(a, b) + 0.05) >= 4.5


def test_luminance_is_that_of_the_slow_formula(theme: Theme) -> None:
    for colour in ("#000000", "#ffffff", "#0072b2", "#050505", theme.page):
        assert luminance(np.array(to_rgb(colour))) == pytest.approx(
            slow_luminance(colour), abs=1e-9
        )
