"""`interp compare`: several runs in one table, on the screen and in files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interp_by_design.commands.errors import reports_errors
from interp_by_design.commands.options import Data, Trust

if TYPE_CHECKING:
    from interp_by_design.run.seed_stability import SeedScores

Runs = Annotated[
    list[Path],
    typer.Argument(metavar="RUN...", help="Run folders, or a folder with some below it: a sweep."),
]
AllNumbers = Annotated[
    bool, typer.Option("--all", help="Print all numbers, not only the main ones.")
]
CsvFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also write all numbers to FILE, as a table.")
]
HtmlFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Also write them as a page that opens from disk."),
]
Random = Annotated[
    bool,
    typer.Option("--random", help="Also stability_seeds of random dictionaries: takes the data."),
]

app = typer.Typer()


@app.command(short_help="Several runs in one table.")
@reports_errors
def compare(  # noqa: PLR0913  # an option is an argument
    runs: Runs,
    everything: AllNumbers = False,
    csv: CsvFile = None,
    html: HtmlFile = None,
    random: Random = False,
    data: Data = None,
    trust: Trust = False,
) -> None:
    """Show in which options runs differ, and their numbers.

    * marks the best; seeds are averaged, and compared.
    """
    from interp_by_design.run.seed_stability import SeedScores

    compare_runs(runs, everything, csv, html, SeedScores(random, tuple(data or ()), trust))


def compare_runs(
    runs: Sequence[Path],
    everything: bool = False,
    csv: Path | None = None,
    html: Path | None = None,
    together: SeedScores | None = None,
) -> None:
    """Show runs, and their scores together where they differ in the seed alone.

    What cannot be read is reported and left out.

    Args:
        runs: Run folders, or folders with some below them.
        everything: Whether to print all numbers.
        csv: A file for all numbers as a table.
        html: A file for a page.
        together: Computes the scores of several seeds; by default without random dictionaries.

    Raises:
        UserError: Where no run can be read.
    """
    from interp_by_design.report.comparison import console, html_page
    from interp_by_design.report.comparison.table import compare
    from interp_by_design.run.run_records import read_runs
    from interp_by_design.run.seed_stability import SeedScores

    records, problems = read_runs(runs)
    for problem in problems:
        print(f"Left out: {problem}", file=sys.stderr)
    comparison = compare(records, together or SeedScores())
    console.show(comparison if everything else comparison.main)
    if csv:
        console.write_csv(comparison, csv)
    if html:
        html_page.write(comparison, html)
