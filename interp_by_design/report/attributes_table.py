"""The attributes of a run as a table: on the screen and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from interp_by_design.explain.global_explanation import GlobalExplanation, explain_globally
from interp_by_design.report.terminal_text import printable
from interp_by_design.terms import AttributeNames, InterpretationTable

WIDTH = 160  # characters of a line where the output is no terminal


@final
@dataclass(frozen=True)
class AttributeRow:
    """One attribute in the table.

    Args:
        attribute: Its number, from 0.
        name: The name that a person gave it; empty without one.
        active: The share of images that it is active on.
        speaks_for: The classes that it speaks for, with relevances.
        speaks_against: The classes that it speaks against, with relevances.
        shared: Whether it speaks for two classes or more.
    """

    attribute: int
    name: str
    active: float
    speaks_for: str
    speaks_against: str
    shared: bool


def show(
    table: InterpretationTable,
    classes: Sequence[str],
    names: AttributeNames,
    split: str,
    tau: float,
) -> list[AttributeRow]:
    """Print the attributes of a model.

    Args:
        table: The interpretation table of a split.
        classes: The names of the classes.
        names: The names of attributes.
        split: What the split is called.
        tau: Classes are listed where |relevance| > 1/tau.

    Returns:
        The rows.
    """
    found = explain_globally(table)
    rows = attribute_rows(found, classes, names, tau)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(_table(rows, tau))
    console.print(
        f"On the {found.n:,} images of {split}: {sum(row.shared for row in rows)} of {len(rows)} "
        f"attributes speak for two classes or more.{_without(found, classes, tau)}",
        markup=False,
    )
    return rows


def attribute_rows(
    found: GlobalExplanation, classes: Sequence[str], names: AttributeNames, tau: float
) -> list[AttributeRow]:
    """Return a row for each attribute, in order.

    Args:
        found: The global explanation of the model.
        classes: The names of the classes.
        names: The names of attributes.
        tau: Classes are listed where |relevance| > 1/tau, the largest first.

    Returns:
        The rows.
    """
    shared = found.shared(tau)
    rows = []
    for j, active in enumerate(found.active_share.tolist()):
        relevance = found.relevance[:, j].tolist()
        order = sorted(range(len(classes)), key=lambda c: -abs(relevance[c]))
        listed = {
            sign: ", ".join(
                f"{classes[c]} {relevance[c]:+.2f}" for c in order if sign * relevance[c] > 1 / tau
            )
            for sign in (1, -1)
        }
        rows.append(
            AttributeRow(
                j, names.get(j) or "", round(active, 6), listed[1], listed[-1], j in shared
            )
        )
    return rows


def as_csv(rows: Sequence[AttributeRow]) -> str:
    """Format the table for other programs.

    Args:
        rows: The rows.

    Returns:
        CSV text with a header.
    """
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
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def _without(found: GlobalExplanation, classes: Sequence[str], tau: float) -> str:
    """Return a sentence about the classes that no attribute speaks for."""
    none = [classes[c] for c in found.without_attribute(tau)]
    return f" No attribute speaks for {', '.join(none)}." if none else ""
