"""The report of a run: `report.html`, one page that opens from disk, and `figures/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from interp_by_design.data.split import Split
from interp_by_design.files import write_text
from interp_by_design.model import InterpretableModel
from interp_by_design.report.figures import write_figures
from interp_by_design.report.findings import Findings, find
from interp_by_design.report.images import read_images
from interp_by_design.report.options import ReportOptions, RunDescription
from interp_by_design.report.page import ReportData, page_content, render_page
from interp_by_design.terms import InterpretationTable, UnknownName

REPORT = "report.html"


def write_report(
    folder: Path,
    model: InterpretableModel,
    splits: Mapping[str, Split],
    tables: Mapping[str, InterpretationTable],
    run: RunDescription,
    options: ReportOptions | None = None,
) -> Path:
    """Write `folder/report.html` and `folder/figures/`; the same input gives the same page.

    Args:
        folder: The run folder.
        model: The trained model; unchanged afterwards.
        splits: Data by split, at least `options.split`. Attribute sheets show images of `train`
            where `splits` and `tables` have it.
        tables: Interpretation tables by split, at least `options.split`.
        run: The files of the run folder that the report shows.
        options: How much the report shows; the defaults where None.

    Returns:
        Path of the page.

    Raises:
        UserError: A split is missing, or a file cannot be written.
    """
    options = options or ReportOptions()
    for given, what in ((splits, "split"), (tables, "table")):
        if options.split not in given:
            raise UnknownName.among(what, options.split, given)
    findings = find(model, splits, tables, options)
    data = ReportData(
        run=run,
        facts=_facts(model, run, findings, options),
        class_names=tuple(model.facts.class_names),
        findings=findings,
        images=read_images(splits[options.split], findings),
    )
    write_text(folder / REPORT, render_page(page_content(data)))
    if options.figures:
        write_figures(folder, data)
    return folder / REPORT


def _facts(
    model: InterpretableModel, run: RunDescription, findings: Findings, options: ReportOptions
) -> tuple[tuple[str, str], ...]:
    # A negative control may have no dictionary.
    dictionary = getattr(model.interpreter, "dictionary", model.interpreter)
    shape = " x ".join(map(str, model.facts.image_shape))
    sheets = f"{options.starts} images of {findings.sheets_split} for each attribute"
    facts = {
        "classifier f": type(model.predictor.network).__name__,
        "hidden layers that g sees": ", ".join(model.predictor.hidden_layers),
        "attribute dictionary Φ": (
            f"{type(dictionary).__name__}, {model.interpreter.n_attributes} attributes"
        ),
        "images": f"{shape}; {len(findings.table):,} of {options.split} are explained",
        "sheets": sheets + (", changed to raise it" if options.maximize else ""),
        "seed": f"{options.seed}, of everything drawn at random for this report",
    }
    if model.interpreter.is_the_predictor:
        facts["f and g"] = (
            "one and the same: f decides by these attributes, and its fidelity of 1 says nothing"
        )
    if "train/seconds" in run.scores:
        facts["training took"] = f"{run.scores['train/seconds']:,.0f} s"
    return tuple(facts.items())
