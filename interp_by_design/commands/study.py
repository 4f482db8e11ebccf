"""`interp study`: a page that asks people what they see in attributes, and the score of answers."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

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
    from interp_by_design.report.study.answers import StudyScores
    from interp_by_design.run.saved_run import SavedRun

FOLDER = "study"  # in the run folder
WRONG_SHARE = 0.4  # of the descriptions

Answers = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Score these answers, and make no page. Can be repeated."),
]
MoreAnswers = Annotated[
    list[Path] | None, typer.Argument(metavar="FILE", help="More files, after --answers.")
]
Out = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Where the study is; by default RUN/study.")
]
Sheets = Annotated[int, typer.Option("--attributes", metavar="N", help="Sheets on the page.")]
Wrong = Annotated[
    float, typer.Option(metavar="SHARE", help="Share of descriptions that are wrong.")
]
JsonFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="With --answers: also write the numbers to FILE."),
]

app = typer.Typer()


@app.command(short_help="Ask people what they read in attributes.")
@reports_errors
def study(  # noqa: PLR0913  # an option is an argument
    run: Run,
    answers: Answers = None,
    more: MoreAnswers = None,
    out: Out = None,
    n: Sheets = 10,
    wrong: Wrong = WRONG_SHARE,
    split: Split = "test",
    maximize: Maximize = True,
    tau: Tau = 5.0,
    seed: Seed = 0,
    json: JsonFile = None,
    data: Data = None,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Ask people whether descriptions fit attributes: a page to send, and a score of answers."""
    if answers:
        score_study(out or run / FOLDER, [*answers, *(more or [])], json)
        return
    if more or json:
        raise typer.BadParameter("FILE and --json go with --answers.")
    from interp_by_design.run.saved_run import open_run

    options = StudyOptions(split, n, wrong, maximize, tau, seed)
    make_study(open_run(run, checkpoint, trust, predictor, data or ()), options, out)


@final
@dataclass(frozen=True)
class StudyOptions:
    """What a study shows.

    Args:
        split: The images on the sheets: train, val or test.
        attributes: How many attributes get a sheet.
        wrong: The share of wrong descriptions, from 0 to 1.
        maximize: Whether sheets show images that maximize the attribute.
        tau: A description names classes with |relevance| > 1/tau.
        seed: The seed of the choice of attributes and wrong descriptions.
    """

    split: str = "test"
    attributes: int = 10
    wrong: float = WRONG_SHARE
    maximize: bool = True
    tau: float = 5.0
    seed: int = 0


def make_study(run: SavedRun, options: StudyOptions, out: Path | None = None) -> Path:
    """Write the page of a study and its key.

    Args:
        run: The run whose attributes are shown.
        options: What the study shows.
        out: The folder of the study; by default `study` in the run folder.

    Returns:
        The page.

    Raises:
        UserError: Where images are not there, where no description is wrong for another
            attribute, and where `out` holds another study.
    """
    from interp_by_design.explain.global_explanation import explain_globally
    from interp_by_design.explain.sheets import SheetSettings, attribute_sheets
    from interp_by_design.report.study.answers import KEY
    from interp_by_design.report.study.pages import descriptions, select_items, write_study

    table = run.table(options.split)
    described = descriptions(
        explain_globally(table), run.model.facts.class_names, run.names, options.tau
    )
    items = select_items(described, run.names, options.attributes, options.wrong, options.seed)
    chosen = tuple(sorted(item.attribute for item in items))
    settings = SheetSettings(maximize=options.maximize, seed=options.seed, attributes=chosen)
    sheets = attribute_sheets(run.model, run.data.split(options.split), table, settings)
    page = write_study(out or run.folder.path / FOLDER, run.title, items, sheets)
    n_wrong = sum(not item.right for item in items)
    print(f"{len(items)} sheets, {n_wrong} with a wrong description: {page}")
    print(f"Send that file alone; {page.with_name(KEY).name} next to it lists the wrong ones.")
    print(f"Then: interp study {run.folder.path} --answers FILE …")
    return page


def score_study(folder: Path, files: Sequence[Path], json_file: Path | None = None) -> StudyScores:
    """Show what people answered to a study, all together.

    Args:
        folder: The folder of the study.
        files: The answers, a file a person.
        json_file: A file for the numbers.

    Returns:
        The scores.

    Raises:
        UserError: For a file that is damaged, that answers another study, or that is given twice.
    """
    from interp_by_design.files import write_text
    from interp_by_design.report.study.answers import read_answers, read_key, score, show

    key = read_key(folder)
    scores = score(key, [read_answers(file, key) for file in files])
    show(scores)
    if json_file:
        write_text(json_file, json_module.dumps(as_values(scores), indent=2) + "\n")
    return scores


def as_values(scores: StudyScores) -> dict[str, Any]:
    """Return counts and shares by kind of description.

    Args:
        scores: The scores of a study.

    Returns:
        Values for a JSON file.
    """
    from interp_by_design.report.study.answers import ANSWERS

    kinds = {"right": True, "wrong": False}
    counts = {
        name: {answer: scores.counts[right][answer] for answer in ANSWERS}
        for name, right in kinds.items()
    }
    shares = {
        name: {answer: scores.share(right, answer) for answer in ANSWERS}
        for name, right in kinds.items()
    }
    return {
        "study": scores.key.study,
        "respondents": scores.respondents,
        "counts": counts,
        "shares": shares,
    }
