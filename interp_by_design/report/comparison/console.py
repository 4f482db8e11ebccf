"""A comparison of runs on the screen, and as a file of comma-separated values. Does not know how it was made."""

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

WIDEST = 44  # characters of a column on the screen
HEADING = 13  # characters of a line of its heading


@dataclass(frozen=True)
class Column:
    """A heading, and a text for each run and each mean."""

    heading: str
    texts: tuple[Text, ...]
    is_number: bool = False

    @property
    def width(self) -> int:
        """Characters that it takes, with the space beside it."""
        lines = [*self.heading.split("\n"), *(text.plain for text in self.texts)]
        return min(max(map(cell_len, lines)), WIDEST) + 2


def show(comparison: Comparison, console: Console | None = None) -> None:
    """Prints a row for each run and each mean; columns that the screen is too narrow for go to further tables below."""
    console = console or Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    names, *columns = _columns(comparison)
    for block in _blocks(columns, console.width - names.width):
        console.print(_table([names, *block], len(comparison.runs)))
    means = " Means: ± standard deviation over seeds." if comparison.means else ""
    console.print(f"\n[dim]* best of its column; ↑ ↓ where better is; - no number.{means}[/]")


def write_csv(comparison: Comparison, file: Path) -> None:
    """All of it in full precision. `row` is run, mean or std, so that each can be picked."""
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


def told(cell: Cell) -> str:
    """A number as it is shown, with its deviation where it is a mean."""
    return (
        number(cell.value)
        if cell.deviation is None
        else f"{number(cell.value)} ± {number(cell.deviation)}"
    )


def shown(key: str, option: str) -> str:
    """An option as it is shown: of a class its name alone, not where it lives."""
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
        yield Column(_broken(key), tuple(Text(shown(key, row.options[place])) for row in rows))
    for place, key in enumerate(comparison.scores):
        heading = _broken(f"{ARROWS[DIRECTIONS.get(key)]} {key}".strip())
        yield Column(heading, tuple(_marked(row.cells[place]) for row in rows), is_number=True)


def _marked(cell: Cell) -> Text:
    return Text(f"*{told(cell)}", "bold green") if cell.is_best else Text(told(cell))


def _broken(key: str) -> str:
    """`key` in lines of HEADING characters, as far as it has places to break it at."""
    lines = [""]
    for piece in re.findall(r"[^._/]*[._/]?", key):
        if lines[-1] and len(lines[-1] + piece) > HEADING:
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
            Text(column.heading), justify=side, no_wrap=True, max_width=WIDEST, vertical="bottom"
        )
    for place, texts in enumerate(zip(*(column.texts for column in columns), strict=True), start=1):
        table.add_row(*texts, end_section=place == n_runs)
    return table
