"""`interp serve`: the report from this machine, with live explanations of images."""

from __future__ import annotations

from typing import Annotated

import typer

from interp_by_design.commands.errors import reports_errors
from interp_by_design.commands.options import Checkpoint, Predictor, Run, Tau, Trust

Port = Annotated[int, typer.Option(metavar="N", help="Where to listen; 0 takes any free port.")]
Host = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Another address than this machine's own lets others look, without a password.",
    ),
]
Show = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]

app = typer.Typer()


@app.command(short_help="The report from this machine, with live images.")
@reports_errors
def serve(  # noqa: PLR0913  # an option is an argument
    run: Run,
    port: Port = 8000,
    host: Host = "127.0.0.1",
    show: Show = False,
    tau: Tau = 5.0,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Serve the report from this machine, with a page that explains images. Ctrl-C ends it."""
    from interp_by_design.run.saved_run import open_run
    from interp_by_design.serve.live_explanations import serve as serve_run

    serve_run(lambda: open_run(run, checkpoint, trust, predictor), host, port, show, tau)
