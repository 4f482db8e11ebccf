"""`interp report`: the report of a run, from its folder and its data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interp_by_design.commands.errors import reports_errors
from interp_by_design.commands.options import (
    Checkpoint,
    Data,
    Maximize,
    Predictor,
    Run,
    Seed,
    Split,
    Tau,
    Trust,
)

if TYPE_CHECKING:
    from interp_by_design.report.options import ReportOptions
    from interp_by_design.run.saved_run import SavedRun

Samples = Annotated[int, typer.Option(metavar="N", help="Images to show one by one.")]
Starts = Annotated[
    int, typer.Option(metavar="N", help="Images that maximization starts from, for each attribute.")
]
Figures = Annotated[bool, typer.Option(help="Also write the figures, one by one.")]

app = typer.Typer()


@app.command(short_help="Write report.html: all about a run's attributes.")
@reports_errors
def report(  # noqa: PLR0913  # an option is an argument
    run: Run,
    split: Split = "test",
    samples: Samples = 200,
    starts: Starts = 3,
    maximize: Maximize = True,
    figures: Figures = True,
    tau: Tau = 5.0,
    seed: Seed = 0,
    data: Data = None,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Write report.html in the run folder: one page, with everything about the run's attributes."""
    from interp_by_design.report.options import ReportOptions
    from interp_by_design.run.saved_run import open_run

    options = ReportOptions(split, samples, starts, maximize, tau, seed, figures)
    saved = open_run(run, checkpoint, trust, predictor, data or ())
    print(f"Written: {report_run(saved, options)}")


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
    from dataclasses import replace

    from interp_by_design.report.findings import SHEETS_FROM
    from interp_by_design.report.run_report import write_report
    from interp_by_design.run import control_scores
    from interp_by_design.run.about import describe_run

    splits = dict.fromkeys((SHEETS_FROM, options.split))
    tables = {split: run.table(split) for split in splits}
    images = {split: run.data.split(split) for split in splits}
    key = control_scores.cache_key(run.folder, run.model, run.seed)
    described = replace(
        describe_run(run.folder, run.title, run.model.interpreter.n_attributes),
        controls=control_scores.load(run.folder, key) or {},
    )
    return write_report(run.folder.path, run.model, images, tables, described, options)
