"""`interp attributes`: what each attribute of a run speaks for, as a table. Looks at no image where the run has its tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from interp_by_design.commands.terminal_text import plain
from interp_by_design.explain.global_explanation import GlobalExplanation, explain_globally
from interp_by_design.files import write_text
from interp_by_design.run.saved_run import SavedRun
from interp_by_design.terms import AttributeNames, check_tau

WIDTH = 160  # of a line where the output is no terminal


@final
@dataclass(frozen=True)
class AttributeRow:
    """What is told of an attribute: the share of images it is active on, and the classes it speaks for and against."""

    attribute: int
    name: str
    active: float
    speaks_for: str
    speaks_against: str
    shared: bool


def show_attributes(run: SavedRun, split: str, tau: float, csv_file: Path | None = None) -> None:
    """Prints the table of a run's attributes on a split. With `csv_file`, writes it there too."""
    check_tau(tau)
    found = explain_globally(run.table(split))
    rows = attribute_rows(found, run.model.facts.class_names, run.names, tau)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(_table(rows, tau))
    console.print(
        f"On the {found.n:,} images of {split}: {sum(row.shared for row in rows)} of {len(rows)} attributes speak for two "
        f"classes or more.{_without(found, run.model.facts.class_names, tau)}",
        markup=False,
    )
    if csv_file:
        write_text(csv_file, as_csv(rows))


def attribute_rows(
    found: GlobalExplanation, classes: Sequence[str], names: AttributeNames, tau: float
) -> list[AttributeRow]:
    """A row for each attribute, in order; of its classes those with |relevance| > 1/tau, the largest first."""
    shared = found.shared(tau)
    rows = []
    for j, active in enumerate(found.active_share.tolist()):
        relevance = found.relevance[:, j].tolist()
        order = sorted(range(len(classes)), key=lambda c: -abs(relevance[c]))
        told = {
            sign: ", ".join(
                f"{classes[c]} {relevance[c]:+.2f}" for c in order if sign * relevance[c] > 1 / tau
            )
            for sign in (1, -1)
        }
        rows.append(
            AttributeRow(j, names.get(j) or "", round(active, 6), told[1], told[-1], j in shared)
        )
    return rows


def as_csv(rows: Sequence[AttributeRow]) -> str:
    """The table for other programs."""
    table = io.StringIO()
    writer = csv.DictWriter(table, list(AttributeRow.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return table.getvalue()


def _table(rows: Sequence[AttributeRow], tau: float) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in (
        "attribute",
        "active",
        f"speaks for (relevance > {1 / tau:.2g})",
        f"speaks against (< -{1 / tau:.2g})",
        "",
    ):
        table.add_column(
            heading, overflow="fold", justify="right" if heading == "active" else "left"
        )
    for row in rows:
        label = AttributeNames({row.attribute: row.name} if row.name else {}).label(row.attribute)
        cells = (
            label,
            f"{row.active:.1%}",
            row.speaks_for,
            row.speaks_against,
            "shared" if row.shared else "",
        )
        table.add_row(*(Text(plain(cell)) for cell in cells))
    return table


def _without(found: GlobalExplanation, classes: Sequence[str], tau: float) -> str:
    """The classes that no attribute speaks for."""
    none = [classes[c] for c in found.without_attribute(tau)]
    return f" No attribute speaks for {', '.join(none)}." if none else ""
