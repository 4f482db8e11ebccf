"""Words as a figure can show them: on one line, in glyphs that a font at hand has, and no wider than their place.

Names of classes and attributes come from outside and may hold anything. Knows nothing of figures or of what the words mean.
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
    "DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei",
    "PingFang SC", "Hiragino Sans", "Malgun Gothic", "Noto Sans Devanagari", "Noto Sans Arabic", "Noto Sans Hebrew",
)  # fmt: skip
MINUS = "\N{MINUS SIGN}"
UNKNOWN = "□"  # stands for characters that no font at hand can draw
ELLIPSIS = "…"
LONGEST = 2_000  # characters of a text that are looked at
POINTS = 72  # to the inch
DPI = 100  # pixels to the inch, of a figure that is drawn as it is
HINTING = (
    1.06  # times its own width is what a text takes when its letters are fitted to pixels, or less
)


@cache
def families() -> tuple[str, ...]:
    """The names of the fonts of WANTED that this machine has, DejaVu Sans first."""
    installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in WANTED if name in installed)


def plain(text: str) -> str:
    r"""One line of `text` without what cannot be seen; runs of characters that no font can draw become one □.

    >>> plain("a\n  b \u200b$x_1$")
    'a b $x_1$'
    """
    text = unicodedata.normalize("NFC", str(text)[:LONGEST])
    drawn = "".join(" " if character.isspace() else _drawn(character) for character in text)
    while UNKNOWN * 2 in drawn:
        drawn = drawn.replace(UNKNOWN * 2, UNKNOWN)
    return " ".join(drawn.split())


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide one line is in inches, at `size` points; rather more than is drawn."""
    pixels = [_advance(character, bold) * size / POINTS * DPI for character in text]
    return sum(max(wide, round(wide)) for wide in pixels) / DPI * HINTING


def shortened(text: str, inches: float, size: float, bold: bool = False) -> str:
    """`text` on one line, cut with an ellipsis where it is wider than `inches`; a closing ” stays.

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
    """`text` in lines of at most `inches`; a word that is wider is cut with an ellipsis, and so is the last of too many lines."""
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
    """The name of class c, shortened; with its number where the name, or all that can be drawn of it, leaves it open."""
    name = plain(class_names[c]) if c < len(class_names) else ""
    if not name:
        return f"class {c}"
    return shortened(f"{c} {name}" if UNKNOWN in name else name, inches, size)


def attribute_label(j: int, names: AttributeNames, inches: float, size: float) -> str:
    """What a person calls attribute j, shortened; its number always stays."""
    return shortened(names.label(j), inches, size)


def count(number: int, noun: str = "") -> str:
    """A number with commas, and its noun.

    >>> count(1234, "image"), count(1, "class")
    ('1,234 images', '1 class')
    """
    ending = "" if number == 1 or not noun else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}".rstrip()


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, for evidence for and against.

    >>> signed(0.5), signed(-0.25, 1), signed(0.001)
    ('+0.50', '−0.2', '0.00')
    """
    text = f"{abs(value):.{digits}f}"
    return text if float(text) == 0 else f"{'+' if value > 0 else MINUS}{text}"


def short(value: float) -> str:
    """A number of -1 to 1 with its sign and two decimals, without the 0 in front.

    >>> short(0.254), short(-0.5), short(1.0)
    ('+.25', '−.50', '+1.00')
    """
    return signed(float(value)).replace("0.", ".", 1)


def percent(share: float) -> str:
    """A share of 0..1; never rounded to none, or to all, of what it is not.

    >>> percent(0.5), percent(0.00001), percent(0.99999), percent(0), percent(0.042)
    ('50 %', '< 0.1 %', '> 99.9 %', '0 %', '4.2 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def change(share: float) -> str:
    """A relative change, with its sign.

    >>> change(-0.382), change(0.05), change(-0.0001)
    ('−38 %', '+5 %', '0 %')
    """
    return f"{signed(100 * share, 0)} %"


def number(value: float) -> str:
    """Three significant digits, a true minus sign."""
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
    """The character, □ for one that a face lacks, nothing for one that only steers others."""
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
    """In ems, of the first font that has the character."""
    fonts = _fonts(bold)
    font = next((font for font in fonts if font.get_char_index(ord(character))), fonts[0])
    return font.load_char(ord(character), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536
