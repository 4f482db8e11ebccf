"""Text as a figure can show it: on one line, in glyphs that a font has, no wider than its place.

Names of classes and attributes come from outside and may hold anything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font, LoadFlags

from interp_by_design.terms import AttributeNames

# The first comes with matplotlib; the others serve scripts that it lacks, where the machine has
# them.
WANTED = (
    "DejaVu Sans",
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
)
MINUS = "\N{MINUS SIGN}"
UNKNOWN = "□"  # stands for characters that no installed font can draw
ELLIPSIS = "…"
MAX_CHARACTERS = 2_000  # of a text; the rest is dropped
POINTS = 72  # per inch
DPI = 100  # pixels per inch
HINTING = 1.06  # upper bound of the width of a text with letters fitted to pixels, over its own


@cache
def families() -> tuple[str, ...]:
    """Return the names of the fonts of `WANTED` that are installed, DejaVu Sans first."""
    installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in WANTED if name in installed)


def plain(text: str) -> str:
    r"""Return text on one line without invisible characters.

    Args:
        text: any text.

    Returns:
        The line; runs of characters that no font can draw become one □.

    >>> plain("a\n  b \u200b$x_1$")
    'a b $x_1$'
    """
    text = unicodedata.normalize("NFC", str(text)[:MAX_CHARACTERS])
    drawn = "".join(" " if character.isspace() else _drawn(character) for character in text)
    while UNKNOWN * 2 in drawn:
        drawn = drawn.replace(UNKNOWN * 2, UNKNOWN)
    return " ".join(drawn.split())


def width(text: str, size: float, bold: bool = False) -> float:
    """Return the width of one line; rather more than is drawn.

    Args:
        text: the line.
        size: points.
        bold: whether it is bold.

    Returns:
        Inches.
    """
    pixels = [_advance(character, bold) * size / POINTS * DPI for character in text]
    return sum(max(wide, round(wide)) for wide in pixels) / DPI * HINTING


def shortened(text: str, inches: float, size: float, bold: bool = False) -> str:
    """Return text on one line, cut with an ellipsis if it is too wide; a closing ” stays.

    Args:
        text: any text.
        inches: its width at most.
        size: points.
        bold: whether it is bold.

    Returns:
        The line.

    >>> shortened("φ3 “a very long name indeed”", 1.0, 9)
    'φ3 “a very l…”'
    """
    text = plain(text)
    if width(text, size, bold) <= inches:
        return text
    end = ELLIPSIS + ("”" if text.endswith("”") else "")
    left, kept = inches - width(end, size, bold), ""
    for character in text:
        left -= width(character, size, bold)
        if left < 0:
            break
        kept += character
    return kept.rstrip() + end


def wrapped(text: str, inches: float, size: float, bold: bool = False, lines: int = 8) -> list[str]:
    """Break text into lines.

    Args:
        text: any text.
        inches: the width of a line; a wider word is cut with an ellipsis.
        size: points.
        bold: whether it is bold.
        lines: how many at most; the last one is cut with an ellipsis.

    Returns:
        The lines.
    """
    found: list[str] = []
    for word in plain(text).split(" "):
        word = shortened(word, inches, size, bold)
        if found and width(f"{found[-1]} {word}", size, bold) <= inches:
            found[-1] += f" {word}"
        else:
            found.append(word)
    if len(found) <= lines:
        return found
    return [*found[: lines - 1], shortened(" ".join(found[lines - 1 :]), inches, size, bold)]


def class_label(c: int, class_names: Sequence[str], inches: float, size: float) -> str:
    """Return the name of a class, shortened.

    Args:
        c: the class.
        class_names: the name of each class.
        inches: its width at most.
        size: points.

    Returns:
        The name; with the number of the class if the name has characters that cannot be drawn.
    """
    name = plain(class_names[c]) if c < len(class_names) else ""
    if not name:
        return f"class {c}"
    return shortened(f"{c} {name}" if UNKNOWN in name else name, inches, size)


def attribute_label(j: int, names: AttributeNames, inches: float, size: float) -> str:
    """Return the name of an attribute, shortened; its number always stays.

    Args:
        j: the attribute.
        names: words for attributes that a person has named.
        inches: its width at most.
        size: points.

    Returns:
        The name.
    """
    return shortened(names.label(j), inches, size)


def count(number: int, noun: str = "") -> str:
    """Write a number with commas, and its noun.

    Args:
        number: the count.
        noun: in the singular; an empty one writes the number alone.

    Returns:
        The words.

    >>> count(1234, "image"), count(1, "class")
    ('1,234 images', '1 class')
    """
    ending = "" if number == 1 or not noun else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}".rstrip()


def signed(value: float, digits: int = 2) -> str:
    """Write a number with its sign.

    Args:
        value: the number.
        digits: decimals.

    Returns:
        The words; what rounds to 0 has no sign.

    >>> signed(0.5), signed(-0.25, 1), signed(0.001)
    ('+0.50', '−0.2', '0.00')
    """
    text = f"{abs(value):.{digits}f}"
    return text if float(text) == 0 else f"{'+' if value > 0 else MINUS}{text}"


def short(value: float) -> str:
    """Write a number of -1 to 1 with its sign and two decimals, without a leading 0.

    Args:
        value: the number.

    Returns:
        The words.

    >>> short(0.254), short(-0.5), short(1.0)
    ('+.25', '−.50', '+1.00')
    """
    return signed(float(value)).replace("0.", ".", 1)


def percent(share: float) -> str:
    """Write a share, never rounded to 0 % or 100 % unless it is that.

    Args:
        share: 0..1.

    Returns:
        The words.

    >>> percent(0.5), percent(0.00001), percent(0.99999), percent(0), percent(0.042)
    ('50 %', '< 0.1 %', '> 99.9 %', '0 %', '4.2 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def change(share: float) -> str:
    """Write a relative change with its sign.

    Args:
        share: the change, as a fraction.

    Returns:
        The words.

    >>> change(-0.382), change(0.05), change(-0.0001)
    ('−38 %', '+5 %', '0 %')
    """
    return f"{signed(100 * share, 0)} %"


def number(value: float) -> str:
    """Write a number with three significant digits and a true minus sign.

    Args:
        value: the number.

    Returns:
        The words.

    >>> number(-1234.5), number(0.25)
    ('−1.23e+03', '0.25')
    """
    return f"{value:.3g}".replace("-", MINUS)


@cache
def _fonts(bold: bool) -> tuple[FT2Font, ...]:
    weight = "bold" if bold else "normal"
    fonts = tuple(
        FT2Font(findfont(FontProperties(family=[family], weight=weight))) for family in families()
    )
    for font in fonts:
        font.set_size(1, POINTS)
    return fonts


@cache
def _drawn(character: str) -> str:
    """The character, □ if a face lacks it, nothing if it only controls others."""
    if unicodedata.category(character) in {"Cc", "Cf", "Mn", "Me"} and not unicodedata.combining(
        character
    ):
        return ""
    known = all(
        any(font.get_char_index(ord(character)) for font in _fonts(bold)) for bold in (False, True)
    )
    return character if known else UNKNOWN


@cache
def _advance(character: str, bold: bool) -> float:
    """In ems, by the first font that has the character."""
    fonts = _fonts(bold)
    font = next((font for font in fonts if font.get_char_index(ord(character))), fonts[0])
    return font.load_char(ord(character), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536
