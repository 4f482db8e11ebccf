"""`interp compare`: runs beside one another, on the screen and in files. Builds a model only where random ones are asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from interp_by_design.report.comparison import console, html_page
from interp_by_design.report.comparison.table import compare
from interp_by_design.run.run_records import read_runs
from interp_by_design.run.seed_stability import SeedScores


def compare_runs(
    runs: Sequence[Path],
    everything: bool = False,
    csv: Path | None = None,
    html: Path | None = None,
    together: SeedScores | None = None,
) -> None:
    """Shows the runs in these places, and what they score together where they differ in the seed alone.

    What cannot be read is told and left out. Raises `UserError` where no run can be.
    """
    records, problems = read_runs(runs)
    for problem in problems:
        print(f"Left out: {problem}", file=sys.stderr)
    comparison = compare(records, together or SeedScores())
    console.show(comparison if everything else comparison.main)
    if csv:
        console.write_csv(comparison, csv)
    if html:
        html_page.write(comparison, html)
