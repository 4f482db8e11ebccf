"""Factors of one's own images, from a CSV file next to the image folders.

The first line names the columns: `file`, and one factor per further column. Every other line
describes one image; `file` is its path relative to the root, with forward slashes:

    file,shape [causal],rotation [angle],brightness
    train/left/001.png,disc,0.52,0.8
    train/right/002.png,square,1.31,0.4

- A column of whole numbers with at most 20 different values is discrete, and so is a column
  with any text; with two values it is binary. Any other column of numbers is continuous.
- Marks in square brackets after a name, separated by spaces, say more: `causal`, if the label
  depends on the factor; `angle`, for radians; `continuous` or `discrete`, to overrule the above.
- An empty cell is an unknown value.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch
from jaxtyping import Float64
from torch import Tensor

from interp_by_design.terms import FactorKind, Factors, UnknownName, UserError

FACTOR_FILE = "factors.csv"
MAX_LEVELS = 20  # different whole numbers of a discrete factor
MARKS = ("causal", "continuous", "discrete", "angle")
HEADING = re.compile(r"\s*(?P<name>[^\[\]]*?)\s*(\[(?P<marks>[^\[\]]*)\])?\s*")


@final
@dataclass(frozen=True, eq=False)
class FactorFile:
    """The content of a CSV file of factors.

    Args:
        path: the file.
        rows: the row of each image in `factors`, by the image's path relative to the root.
        factors: the factors of all images that the file describes.
    """

    path: Path
    rows: dict[str, int]
    factors: Factors

    def of(self, files: Sequence[str]) -> Factors:
        """Return the factors of some images.

        Args:
            files: the images' paths relative to the root, with forward slashes.

        Returns:
            Their factors, in this order.

        Raises:
            UserError: if the file does not describe one of them.
        """
        missing = sorted({*files} - {*self.rows})
        if missing:
            raise UserError(
                f"{self.path} has no line for {_some(missing)}. Add a line per image, or leave the "
                "cells empty where the factors are unknown."
            )
        return self.factors.select(torch.tensor([self.rows[file] for file in files]))


def read_factor_file(path: Path) -> FactorFile:
    """Read a CSV file of factors.

    Args:
        path: the file, in UTF-8; the module says what it holds.

    Returns:
        The factors of the images that it describes, in the order of its lines.

    Raises:
        UserError: if it cannot be read, lacks the column `file` or a factor, describes a file
            twice or one that does not exist, or if a cell does not fit its column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream, strict=True)
            lines = [(reader.line_num, line) for line in reader if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{path} cannot be read: {error}. Give a CSV file in UTF-8, with the columns file and "
            "a factor each, or take the file away."
        ) from error
    heading = [_heading(path, cell) for cell in lines[0][1]] if lines else []
    names = [name for name, _ in heading]
    if names.count("file") != 1 or len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise UserError(
            f"The first line of {path} names the columns {names}. Name one column 'file', and one "
            "or more factors, all different."
        )
    for number, line in lines[1:]:
        if len(line) != len(names):
            raise UserError(
                f"Line {number} of {path} has {len(line)} cells, and the first line {len(names)}. "
                "Give one cell per column."
            )
    columns = zip(*(line for _, line in lines[1:]), strict=True)
    return _assemble(path, heading, dict(zip(names, columns, strict=len(lines) > 1)))


def _assemble(
    path: Path, heading: Sequence[tuple[str, frozenset[str]]], cells: dict[str, tuple[str, ...]]
) -> FactorFile:
    files = [file.strip() for file in cells.get("file", ())]
    _check_files(path, files)
    columns = {
        name: _column(path, name, marks, cells.get(name, ()))
        for name, marks in heading
        if name != "file"
    }
    factors = Factors(
        tuple(columns),
        torch.stack([column.values for column in columns.values()], dim=1),
        tuple(column.kind for column in columns.values()),
        tuple("causal" in marks for name, marks in heading if name != "file"),
        {name: column.value_names for name, column in columns.items() if column.value_names},
    )
    return FactorFile(path, {file: row for row, file in enumerate(files)}, factors)


@dataclass(frozen=True)
class _Column:
    values: Float64[Tensor, "n"]
    kind: FactorKind
    value_names: tuple[str, ...] = ()


def _heading(path: Path, cell: str) -> tuple[str, frozenset[str]]:
    """The name in a cell of the first line, and the marks after it."""
    match = HEADING.fullmatch(cell)
    if match is None:
        raise UserError(
            f"{path} has a column '{cell}'. Name it 'factor', or 'factor [marks]' with marks from "
            f"{', '.join(MARKS)}."
        )
    marks = frozenset((match["marks"] or "").split())
    for mark in sorted(marks.difference(MARKS)):
        raise UnknownName.among("mark", mark, MARKS, owner=f"a column of {path}")
    if len(marks - {"causal"}) > 1:
        raise UserError(
            f"{path} marks the factor '{match['name']}' as {' and '.join(sorted(marks))}. "
            "Give at most one of continuous, discrete and angle."
        )
    return match["name"], marks


def _check_files(path: Path, files: Sequence[str]) -> None:
    if twice := [file for file, count in Counter(files).items() if count > 1]:
        raise UserError(f"{path} has two lines for {_some(twice)}. Give one line per image.")
    if unknown := [file for file in files if not (path.parent / file).is_file()]:
        raise UserError(
            f"{path} describes {_some(unknown)}, which {'does' if len(unknown) == 1 else 'do'} not "
            f"exist. Give paths relative to '{path.parent}', such as train/cat/1.png."
        )


def _column(path: Path, name: str, marks: frozenset[str], cells: Sequence[str]) -> _Column:
    texts = [cell.strip() for cell in cells]
    known = list(dict.fromkeys(text for text in texts if text))
    numbers = {text: number for text in known if (number := _number(text)) is not None}
    infinite = [text for text, number in numbers.items() if not math.isfinite(number)]
    if infinite:
        raise UserError(
            f"The factor '{name}' in {path} holds {_some(infinite)}. Give finite numbers, and "
            "leave a cell empty where the value is unknown."
        )
    words = [text for text in known if text not in numbers]
    wants_numbers = next((mark for mark in ("angle", "continuous") if mark in marks), None)
    if words and wants_numbers:
        raise UserError(
            f"The factor '{name}' in {path} is {wants_numbers} and holds {_some(words)}. "
            "Give numbers."
        )
    if wants_numbers is None and (words or "discrete" in marks or _few_levels(numbers)):
        return _discrete(texts, numbers if not words else {})
    values = [numbers.get(text, math.nan) for text in texts]
    kind: FactorKind = "angle" if wants_numbers == "angle" else "continuous"
    return _Column(torch.tensor(values, dtype=torch.float64), kind)


def _discrete(texts: Sequence[str], numbers: dict[str, float]) -> _Column:
    """The levels in ascending order: of numbers where there are numbers alone, else of texts."""
    if numbers:
        ordered = sorted(set(numbers.values()))
        positions = {text: ordered.index(number) for text, number in numbers.items()}
        levels = tuple(repr(int(n) if n.is_integer() else n) for n in ordered)
    else:
        levels = tuple(sorted({text for text in texts if text}))
        positions = {text: i for i, text in enumerate(levels)}
    values = [float(positions[text]) if text else math.nan for text in texts]
    return _Column(
        torch.tensor(values, dtype=torch.float64),
        "binary" if len(levels) == 2 else "discrete",
        levels,
    )


def _few_levels(numbers: dict[str, float]) -> bool:
    levels = set(numbers.values())
    return 0 < len(levels) <= MAX_LEVELS and all(number.is_integer() for number in levels)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _some(names: Sequence[str]) -> str:
    """The first three of some names, in quotes, and how many there are in all if more."""
    listing = ", ".join(repr(name) for name in names[:3])
    return listing if len(names) <= 3 else f"{listing} and {len(names) - 3} more"
