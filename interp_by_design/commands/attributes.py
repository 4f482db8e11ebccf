"""`interp attributes`: what each attribute of a run speaks for, as a table."""

from __future__ import annotations

import typer

from interp_by_design.commands.errors import reports_errors
from interp_by_design.commands.options import (
    Checkpoint,
    CsvFile,
    Data,
    Predictor,
    Run,
    Split,
    Tau,
    Trust,
)

app = typer.Typer()


@app.command(short_help="What each attribute speaks for, as a table.")
@reports_errors
def attributes(  # noqa: PLR0913  # an option is an argument
    run: Run,
    split: Split = "test",
    tau: Tau = 5.0,
    csv: CsvFile = None,
    data: Data = None,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """List the attributes: how often each is active, and which classes it speaks for and against.

    No image is read where the run has its interpretation tables.
    """
    from interp_by_design.files import write_text
    from interp_by_design.report import attributes_table
    from interp_by_design.run.saved_run import open_run
    from interp_by_design.terms import check_tau

    saved = open_run(run, checkpoint, trust, predictor, data or ())
    check_tau(tau)
    classes = saved.model.facts.class_names
    rows = attributes_table.show(saved.table(split), classes, saved.names, split, tau)
    if csv:
        write_text(csv, attributes_table.as_csv(rows))
