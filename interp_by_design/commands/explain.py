"""`interp explain`: why a run's model decides as it does on image files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interp_by_design.commands.errors import reports_errors
from interp_by_design.commands.options import Checkpoint, Predictor, Run, Tau, Trust

if TYPE_CHECKING:
    from interp_by_design.report.explanation_output import ExplainedFile
    from interp_by_design.run.image_file import Pixels
    from interp_by_design.run.saved_run import SavedRun
    from interp_by_design.terms import Explanation

FOLDER = "explanations"  # in the run folder

Images = Annotated[
    list[Path],
    typer.Argument(metavar="IMAGE...", help="Image files of any size, or folders of them."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Write a figure of each there, explanations.csv and explanations.json.",
    ),
]

app = typer.Typer()


@app.command(short_help="Why the model decides as it does on image files.")
@reports_errors
def explain(  # noqa: PLR0913  # an option is an argument
    run: Run,
    images: Images,
    out: Out = None,
    tau: Tau = 5.0,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Explain why the model decides as it does on new images. Of a folder, write a table too."""
    from interp_by_design.run.saved_run import open_run

    if not explain_files(open_run(run, checkpoint, trust, predictor), images, tau, out):
        raise SystemExit(1)


def explain_files(
    run: SavedRun, places: Sequence[Path], tau: float, out: Path | None = None
) -> bool:
    """Explain image files one after another; those that cannot be read are reported.

    Args:
        run: The run whose model explains.
        places: Image files, and folders of them.
        tau: Attributes are shown where |relevance| > 1/tau.
        out: A folder for a figure of each file, explanations.csv and explanations.json. By
            default the run folder gets a table for each folder among `places`.

    Returns:
        Whether all files could be read.

    Raises:
        UserError: Where there is nothing to explain, and where a file cannot be written.
    """
    from interp_by_design.report.explanation_output import ExplainedFile, as_text
    from interp_by_design.run.image_file import image_files
    from interp_by_design.terms import UserError

    reader = run.reader
    done: list[ExplainedFile] = []
    names: set[str] = set()  # of figures
    for file in image_files(places):
        try:
            image = reader.read(file)
        except UserError as error:
            print(f"{error}\n", file=sys.stderr)
            done.append(ExplainedFile(file, {}, str(error)))
            continue
        explanation = run.model.explain(image, tau)
        values = explanation.as_dict(run.model.facts.class_names, run.names)
        print(f"{as_text(str(file), values)}\n")
        figure = ""
        if out:
            figure = _draw(run, image, explanation, file.name, out / _unique(file.stem, names))
        done.append(ExplainedFile(file, values, figure=figure))
    for path in _write_tables(run, places, done, out):
        print(f"Written: {path}")
    return not any(one.error for one in done)


def _write_tables(
    run: SavedRun, places: Sequence[Path], done: Sequence[ExplainedFile], out: Path | None
) -> list[Path]:
    from interp_by_design.files import write_text
    from interp_by_design.report.explanation_output import as_csv, as_json

    if out:
        write_text(out / "explanations.csv", as_csv(done))
        write_text(out / "explanations.json", as_json(done))
        return [out]
    paths = []
    for place in places:
        if place.is_dir():
            paths.append(run.folder.path / FOLDER / f"{place.resolve().name}.csv")
            write_text(paths[-1], as_csv([one for one in done if one.file.is_relative_to(place)]))
    return paths


def _draw(run: SavedRun, image: Pixels, explanation: Explanation, title: str, file: Path) -> str:
    from interp_by_design.files import replacing
    from interp_by_design.visualize import LIGHT, local_figure  # a second, where nothing is drawn

    figure = local_figure(image, explanation, run.model.facts.class_names, run.names, LIGHT, title)
    with replacing(file) as stream:
        figure.savefig(stream, format="png", dpi=150)
    return file.name


def _unique(stem: str, names: set[str]) -> str:
    """Return a new name for a figure: images of one name may lie in several folders."""
    name = f"{stem}.png"
    number = 1
    while name in names:
        number += 1
        name = f"{stem}-{number}.png"
    names.add(name)
    return name
