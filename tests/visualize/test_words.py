"""Text from outside becomes one line that a font can draw and that fits its place."""

from __future__ import annotations

import string
import unicodedata
import warnings
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from interp_by_design.terms import AttributeNames
from interp_by_design.visualize.frame import style
from interp_by_design.visualize.words import (
    ELLIPSIS,
    MINUS,
    UNKNOWN,
    attribute_label,
    class_label,
    count,
    number,
    percent,
    plain,
    shortened,
    signed,
    width,
    wrapped,
)  # fmt: skip

anything = st.text(max_size=60)


def drawn_width(text: str, size: float, bold: bool = False) -> float:
    """Inches, as matplotlib draws it; a glyph that is missing is a warning, and so an error."""
    figure = Figure(dpi=100)
    found = figure.text(0.0, 0.5, text, **style(size, "#000000", bold))
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        canvas.draw()
        return float(found.get_window_extent(canvas.get_renderer()).width) / 100


@settings(max_examples=40)
@given(anything)
def test_plain_text_is_one_line_of_what_can_be_drawn(text: str) -> None:
    found = plain(text)
    assert found == plain(found)
    assert UNKNOWN * 2 not in found
    assert all(
        character == " " or not unicodedata.category(character).startswith(("Z", "Cc", "Cf"))
        for character in found
    )
    drawn_width(found, 8)
    drawn_width(found, 12, bold=True)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("$x_1$ & \\frac{a}{b}", "$x_1$ & \\frac{a}{b}"),
        ("two\nlines\tand\u00a0a\u2028tab", "two lines and a tab"),
        ("\u202eevil\u200b\x07", "evil"),
        ("\U0010fffd\U0010fffd!", f"{UNKNOWN}!"),
        ("\ud800", UNKNOWN),
        ("   ", ""),
        ("e\u0301", "é"),
    ],
)
def test_what_cannot_be_drawn_is_left_out_or_boxed(text: str, wanted: str) -> None:
    assert plain(text) == wanted


@pytest.mark.parametrize("size", [6.5, 8, 9, 12])
@pytest.mark.parametrize("bold", [False, True])
def test_text_is_no_wider_than_it_is_said_to_be(size: float, bold: bool) -> None:
    for text in (
        string.ascii_letters,
        "The quick brown fox, φ12 “loop” → 0.25",
        "W" * 30,
        "filling in all five lines with little letters",
        f"relevance r {MINUS}0.83 %",
    ):
        assert drawn_width(text, size, bold) <= width(text, size, bold)
        assert drawn_width(text, size, bold) >= 0.85 * width(text, size, bold)


@given(anything, st.floats(0.5, 4))
def test_shortened_text_fits(text: str, inches: float) -> None:
    found = shortened(text, inches, 9)
    assert width(found, 9) <= inches
    assert found == plain(text) or ELLIPSIS in found


def test_shortening_keeps_what_it_can() -> None:
    text = "a" * 100
    found = shortened(text, 1.0, 9)
    assert found.endswith(ELLIPSIS)
    assert width("a" + found, 9) > 1.0
    assert shortened("“" + "b" * 100 + "”", 1.0, 9).endswith(f"{ELLIPSIS}”")
    assert shortened("short", 5.0, 9) == "short"
    assert len(shortened("x" * 10_000_000, 5.0, 9)) < 200


@given(
    st.lists(
        st.text(alphabet=string.ascii_letters + "$_.", min_size=1, max_size=12),
        min_size=1,
        max_size=40,
    )
)
def test_wrapped_lines_fit_and_hold_every_word(words: list[str]) -> None:
    lines = wrapped(" ".join(words), 2.0, 9, lines=1000)
    assert " ".join(lines).split() == " ".join(words).split()
    assert all(width(line, 9) <= 2.0 for line in lines)
    assert all(
        width(f"{a} {b.split()[0]}", 9) > 2.0 for a, b in pairwise(lines)
    )  # none is broken early


def test_too_many_lines_end_in_an_ellipsis() -> None:
    lines = wrapped("word " * 300, 2.0, 9, lines=3)
    assert len(lines) == 3
    assert lines[-1].endswith(ELLIPSIS)


def test_a_class_always_has_a_unique_name() -> None:
    names = ["cat", "", "\U0010fffd", " \n", "\U0010fffe"]
    assert [class_label(c, names, 2, 9) for c in range(7)] == [
        "cat",
        "class 1",
        "2 □",
        "class 3",
        "4 □",
        "class 5",
        "class 6",
    ]


def test_an_attribute_keeps_its_number() -> None:
    names = AttributeNames({3: "a very long description of a loop that is closed"})
    assert attribute_label(3, names, 1.0, 9).startswith("φ3 “a ")
    assert attribute_label(120, names, 1.0, 9) == "φ120"


def test_numbers_are_written_as_people_write_them() -> None:
    assert [count(0, "class"), count(1, "class"), count(1200, "image"), count(7)] == [
        "0 classes",
        "1 class",
        "1,200 images",
        "7",
    ]
    assert [percent(share) for share in (0.0, 0.0004, 0.5, 0.9996, 1.0)] == [
        "0 %",
        "< 0.1 %",
        "50 %",
        "> 99.9 %",
        "100 %",
    ]
    assert [signed(value) for value in (-0.004, 0.006, -1.0)] == ["0.00", "+0.01", f"{MINUS}1.00"]
    assert number(-12345.678) == f"{MINUS}1.23e+04"
