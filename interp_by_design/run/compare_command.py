"""`interp compare`: runs beside one another, on the screen and in files. Builds no model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from interp_by_design.report import comparison_page, comparison_table
from interp_by_design.report.comparison import compare
from interp_by_design.run.records import read_runs


def compare_runs(runs: Sequence[Path], everything: bool, csv: Path | None, html: Path | None) -> None:
    """Shows the runs in these places; those that cannot be read are told and left out. `UserError` where none can."""
    records, problems = read_runs(runs)
    for problem in problems:
        print(f"Left out: {problem}", file=sys.stderr)
    comparison = compare(records)
    comparison_table.show(comparison if everything else comparison.main)
    if csv:
        comparison_table.write_csv(comparison, csv)
    if html:
        comparison_page.write(comparison, html)
