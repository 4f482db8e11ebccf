"""The report of a run: `report.html`, one page that opens from disk, and `figures/`. Knows nothing of configs and run folders.

What is computed is computed in `explain`; what is drawn, in `visualize` and by the page itself. This is where the two meet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interp_by_design.data.split import Split
from interp_by_design.explain import TAU, SheetSettings, attribute_sheets
from interp_by_design.files import write_text
from interp_by_design.model import InterpretableModel
from interp_by_design.report.figures import write_figures
from interp_by_design.report.history import read_history
from interp_by_design.report.names import read_names
from interp_by_design.report.page import PageContent, rendered
from interp_by_design.report.page.content import About
from interp_by_design.report.page.content_builder import Explained, findings
from interp_by_design.report.page.scores import charts, scorecard
from interp_by_design.terms import InterpretationTable, UnknownName, check_whole

REPORT = "report.html"
SHEETS_FROM = "train"  # where that is at hand: most images to choose from


@dataclass(frozen=True)
class RunAbout:
    """What a report says of its run beside what it finds: `scores` as in metrics.json, by keys such as `test/fidelity`.

    `controls` are the test scores of the run's controls, by their names and by keys without prefix; none where they are unknown.
    """

    title: str
    command: str = ""
    config_yaml: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    controls: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportOptions:
    """How much a report shows.

    split: the images that it explains. samples: how many of them stand in the page. starts: images on each attribute's sheet.
    maximize: whether these are also changed to raise the attribute, which takes most of the time. tau: shown is |r| > 1/tau.
    figures: whether `figures/` is written too. Raises `UserError` for numbers that cannot be.
    """

    split: str = "test"
    samples: int = 200
    starts: int = 3
    maximize: bool = True
    tau: float = TAU
    seed: int = 0
    figures: bool = True

    def __post_init__(self) -> None:
        check_whole("samples", self.samples, minimum=0)
        check_whole("starts", self.starts, minimum=1)


def write_report(  # a folder, what is reported of, and how
    folder: Path,
    model: InterpretableModel,
    splits: Mapping[str, Split],
    tables: Mapping[str, InterpretationTable],
    about: RunAbout,
    options: ReportOptions | None = None,
) -> Path:
    """Writes `folder/report.html`, whole or not at all, and `folder/figures/`; returns the page. The model is left as it was.

    `splits` and `tables` hold at least `options.split`; the attributes' sheets show images of `train` where both have it. Names
    in `folder/names.yaml` and the curves in `folder/csv/` are shown where they are there. The same input gives the same page.

    Raises `UserError` for a split that is not there, for damaged names, and where a file cannot be written.
    """
    options = options or ReportOptions()
    for given, what in ((splits, "split"), (tables, "table")):
        if options.split not in given:
            raise UnknownName.among(what, options.split, given)
    class_names, n_attributes = model.facts.class_names, model.interpreter.n_attributes
    names, history = read_names(folder, n_attributes), read_history(folder)
    explained = _explained(model, splits, tables, options)
    content = PageContent(
        title=about.title,
        scorecard=scorecard(about.scores, n_attributes, options.tau, about.controls),
        charts=charts(about.scores, history),
        findings=findings(explained, class_names, names, options.samples, options.seed),
        about=_about(model, about, explained, options),
    )
    write_text(folder / REPORT, rendered(content))
    if options.figures:
        write_figures(folder, explained, class_names, names, about.scores, history)
    return folder / REPORT


def _explained(
    model: InterpretableModel,
    splits: Mapping[str, Split],
    tables: Mapping[str, InterpretationTable],
    options: ReportOptions,
) -> Explained:
    sheets_split = SHEETS_FROM if SHEETS_FROM in splits and SHEETS_FROM in tables else options.split
    settings = SheetSettings(samples=options.starts, maximize=options.maximize, seed=options.seed)
    sheets = tuple(attribute_sheets(model, splits[sheets_split], tables[sheets_split], settings))
    return Explained.of(
        options.split,
        splits[options.split],
        tables[options.split],
        options.tau,
        (sheets_split, sheets),
    )


def _about(
    model: InterpretableModel, about: RunAbout, explained: Explained, options: ReportOptions
) -> About:
    dictionary = getattr(
        model.interpreter, "dictionary", model.interpreter
    )  # a control may have none
    facts = {
        "classifier f": type(model.predictor.network).__name__,
        "hidden layers that g sees": ", ".join(model.predictor.hidden_layers),
        "attribute dictionary Φ": f"{type(dictionary).__name__}, {model.interpreter.n_attributes} attributes",
        "images": f"{' x '.join(map(str, model.facts.image_shape))}; {len(explained.table):,} of {options.split} are explained",
        "sheets": f"{options.starts} images of {explained.sheets_split} for each attribute"
        + (", changed to raise it" if options.maximize else ""),
        "seed": f"{options.seed}, of what is drawn at random for this report",
    }
    if model.interpreter.is_the_predictor:
        facts["f and g"] = (
            "one and the same: f decides by these attributes, and its fidelity of 1 says nothing"
        )
    if "train/seconds" in about.scores:
        facts["training took"] = f"{about.scores['train/seconds']:,.0f} s"
    provenance = json.dumps(dict(about.provenance), indent=2, ensure_ascii=False, default=str)
    return About(about.command, about.config_yaml, provenance, tuple(facts.items()))
