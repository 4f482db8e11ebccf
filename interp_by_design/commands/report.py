"""`interp report`: the report of a run, from its folder and its data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from interp_by_design.report.findings import SHEETS_FROM
from interp_by_design.report.options import ReportOptions
from interp_by_design.report.run_report import write_report
from interp_by_design.run import control_scores
from interp_by_design.run.about import describe_run
from interp_by_design.run.saved_run import SavedRun


def report_run(run: SavedRun, options: ReportOptions) -> Path:
    """Write the report of a run into its folder, with the cached scores of its controls.

    Args:
        run: The run.
        options: What the report shows.

    Returns:
        The page.

    Raises:
        UserError: Where the images are not there, and where the folder cannot be written.
    """
    splits = dict.fromkeys((SHEETS_FROM, options.split))
    tables = {split: run.table(split) for split in splits}
    images = {split: run.data.split(split) for split in splits}
    key = control_scores.cache_key(run.folder, run.model, run.seed)
    described = replace(
        describe_run(run.folder, run.title, run.model.interpreter.n_attributes),
        controls=control_scores.load(run.folder, key) or {},
    )
    return write_report(run.folder.path, run.model, images, tables, described, options)
