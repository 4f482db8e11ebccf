"""A comparison of runs on the screen and as a CSV file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from interp_by_design.report.comparison.table import DIRECTIONS, Cell, Comparison
from interp_by_design.report.score_text import ARROWS, number
from interp_by_design.report.scorecard_table import LOG_WIDTH

MAX_WIDTH = 44  # characters of a column on the screen
HEADING_WIDTH = 13  # characters of a line of a heading


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Args:
        heading: Lines of the heading.
        texts: A text for each run and each mean.
        is_number: Whether texts are right-aligned.
    """

    heading: str
    texts: tuple[Text, ...]
    is_number: bool = False

    @property
    def width(self) -> int:
        """Width in characters, with the space to the next column."""
        lines = [*self.heading.split("\n"), *(text.plain for text in self.texts)]
        return min(max(map(cell_len, lines)), MAX_WIDTH) + 2


def show(comparison: Comparison, console: Console | None = None) -> None:
    """Print a row for each run and each mean.

    Columns that do not fit on the screen go to further tables below.

    Args:
        comparison: The comparison.
        console: Where to print; the standard output where None.
    """
    console = console or Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    names, *columns = _columns(comparison)
    for block in _blocks(columns, console.width - names.width):
        console.print(_table([names, *block], len(comparison.runs)))
    means = " Means: ± standard deviation over seeds." if comparison.means else ""
    console.print(f"\n[dim]* best of its column; ↑ ↓ the better direction; - no number.{means}[/]")


def write_csv(comparison: Comparison, file: Path) -> None:
    """Write all numbers in full precision; the column `row` is run, mean or std.

    Args:
        comparison: The comparison.
        file: Path of the CSV file.
    """
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(["row", "name", "finished", *comparison.options, *comparison.scores])
        for run in comparison.runs:
            values = [cell.value for cell in run.cells]
            writer.writerow(["run", run.name, run.is_finished, *run.options, *values])
        for mean in comparison.means:
            writer.writerow(
                ["mean", mean.name, True, *mean.options, *(cell.value for cell in mean.cells)]
            )
            writer.writerow(
                ["std", mean.name, True, *mean.options, *(cell.deviation for cell in mean.cells)]
            )


def cell_text(cell: Cell) -> str:
    """Format a number, with its deviation if it is a mean.

    Args:
        cell: The number.

    Returns:
        The digits.

    >>> cell_text(Cell(0.5, 0.25))
    '0.5000 ± 0.2500'
    """
    if cell.deviation is None:
        return number(cell.value)
    return f"{number(cell.value)} ± {number(cell.deviation)}"


def option_text(key: str, option: str) -> str:
    """Format an option; a class is shown without its module.

    Args:
        key: Key of the option.
        option: Its value as text.

    Returns:
        The text.

    >>> option_text("attributes._target_", "interp_by_design.attributes.TopKDictionary")
    'TopKDictionary'
    """
    return option.rpartition(".")[2] if key.endswith("_target_") else option


def _columns(comparison: Comparison) -> Iterator[Column]:
    rows = [*comparison.runs, *comparison.means]
    yield Column(
        "",
        tuple(
            Text(row.name) if row.is_finished else Text(f"{row.name} unfinished", "dim")
            for row in rows
        ),
    )
    for place, key in enumerate(comparison.options):
        yield Column(
            _broken(key), tuple(Text(option_text(key, row.options[place])) for row in rows)
        )
    for place, key in enumerate(comparison.scores):
        heading = _broken(f"{ARROWS[DIRECTIONS.get(key)]} {key}".strip())
        yield Column(heading, tuple(_marked(row.cells[place]) for row in rows), is_number=True)


def _marked(cell: Cell) -> Text:
    return Text(f"*{cell_text(cell)}", "bold green") if cell.is_best else Text(cell_text(cell))


def _broken(key: str) -> str:
    """`key` in lines of HEADING_WIDTH characters, broken after dots, underscores and slashes."""
    lines = [""]
    for piece in re.findall(r"[^._/]*[._/]?", key):
        if lines[-1] and len(lines[-1] + piece) > HEADING_WIDTH:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def _blocks(columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    """The columns in order, in blocks of no more than `width` characters, at least one in each."""
    block: list[Column] = []
    for column in columns:
        if block and sum(other.width for other in block) + column.width > width:
            yield block
            block = []
        block.append(column)
    yield block


def _table(columns: Sequence[Column], n_runs: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", title=" ")
    for column in columns:
        side: JustifyMethod = "right" if column.is_number else "left"
        table.add_column(
            Text(column.heading), justify=side, no_wrap=True, max_width=MAX_WIDTH, vertical="bottom"
        )
    for place, texts in enumerate(zip(*(column.texts for column in columns), strict=True), start=1):
        table.add_row(*texts, end_section=place == n_runs)
    return table
