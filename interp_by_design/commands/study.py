"""`interp study`: a page to ask people what they read in a run's attributes, and the score of what they answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from interp_by_design.explain.global_explanation import explain_globally
from interp_by_design.explain.sheets import SheetSettings, attribute_sheets
from interp_by_design.files import write_text
from interp_by_design.report.study import answers as study_answers
from interp_by_design.report.study.answers import (
    ANSWERS,
    StudyScores,
    read_answers,
    read_key,
    score,
)
from interp_by_design.report.study.pages import WRONG, descriptions, select_items, write_study
from interp_by_design.run.saved_run import SavedRun

PLACE = "study"  # in the run folder


@final
@dataclass(frozen=True)
class StudyOptions:
    """What a study shows: how many attributes, which share of descriptions is wrong, and the images of which split."""

    split: str = "test"
    attributes: int = 10
    wrong: float = WRONG
    maximize: bool = True
    tau: float = 5.0
    seed: int = 0


def make_study(run: SavedRun, options: StudyOptions, out: Path | None = None) -> Path:
    """Writes the page and its key to `out`, by default the folder `study` of the run; returns the page's file.

    Raises `UserError` where images are not there, no description is wrong for another attribute, or `out` holds another study.
    """
    table = run.table(options.split)
    said = descriptions(
        explain_globally(table), run.model.facts.class_names, run.names, options.tau
    )
    items = select_items(said, run.names, options.attributes, options.wrong, options.seed)
    chosen = tuple(sorted(item.attribute for item in items))
    settings = SheetSettings(maximize=options.maximize, seed=options.seed, attributes=chosen)
    sheets = attribute_sheets(run.model, run.data.split(options.split), table, settings)
    page = write_study(out or run.folder.path / PLACE, run.title, items, sheets)
    wrong = sum(not item.right for item in items)
    print(f"{len(items)} sheets, {wrong} with a wrong description: {page}")
    print(
        f"Send that file alone; {page.with_name(study_answers.KEY).name} beside it tells which are wrong."
    )
    print(f"Then: interp study {run.folder.path} --answers FILE …")
    return page


def score_study(folder: Path, files: Sequence[Path], json_file: Path | None = None) -> StudyScores:
    """Shows what people answered to the study in `folder`, all together. With `json_file`, writes it there too.

    Raises `UserError` for a file that is damaged, answers another study, or is there twice.
    """
    key = read_key(folder)
    scores = score(key, [read_answers(file, key) for file in files])
    study_answers.show(scores)
    if json_file:
        write_text(json_file, json.dumps(as_values(scores), indent=2) + "\n")
    return scores


def as_values(scores: StudyScores) -> dict[str, Any]:
    """Counts and shares by kind of description."""
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
