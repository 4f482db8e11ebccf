"""`interp evaluate`: the scorecard of a run, computed again, on its data or on other images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from interp_by_design.commands.errors import reports_errors
from interp_by_design.commands.options import Checkpoint, Predictor, Run, Trust

Images = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FOLDER|KEY=VALUE",
        help="Other images of the model's classes, a folder a class; or a change of the run's "
        "data, as data.root=FOLDER. Can be repeated.",
    ),
]
JsonFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also write the numbers to FILE.")
]
Controls = Annotated[
    bool, typer.Option(help="Compare with two negative controls, which explain nothing.")
]
Refit = Annotated[
    bool,
    typer.Option("--refit-controls", help="Fit the controls although their scores are cached."),
]
Write = Annotated[bool, typer.Option("--write", help="Put the numbers in the run's metrics.json.")]

app = typer.Typer()


@app.command(short_help="The scorecard again, or on other images.")
@reports_errors
def evaluate(  # noqa: PLR0913  # an option is an argument
    run: Run,
    data: Images = None,
    json: JsonFile = None,
    controls: Controls = True,
    refit: Refit = False,
    write: Write = False,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Compute the scorecard again, on the run's own data or on other images of the same classes.

    On the run's own data, it also shows the scores of two negative controls, which are cached in
    RUN/controls.json.
    """
    from interp_by_design.run.evaluation import EvaluateOptions, evaluate_run
    from interp_by_design.run.saved_run import open_run

    folder, changes = split_data_options(data or ())
    options = EvaluateOptions(controls, refit, write)
    evaluate_run(open_run(run, checkpoint, trust, predictor, changes), folder, json, options)


def split_data_options(given: Sequence[str]) -> tuple[Path | None, tuple[str, ...]]:
    """Separate a folder of images from changes of the run's data.

    Args:
        given: What the user gave as data.

    Returns:
        The folder, or None; and the changes, as KEY=VALUE.

    Raises:
        UserError: For more than one folder.
    """
    changes = tuple(entry for entry in given if "=" in entry and not Path(entry).is_dir())
    folders = [Path(entry) for entry in given if entry not in changes]
    if len(folders) > 1:
        from interp_by_design.terms import UserError

        raise UserError(f"Give one folder of images, not {len(folders)}.")
    return (folders[0] if folders else None), changes
