"""The report at the end of a run: written to the run folder and passed to the loggers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytorch_lightning as pl

from interp_by_design.callbacks import Report
from interp_by_design.callbacks.attribute_table import attribute_table, relevance_table
from interp_by_design.callbacks.loggers import Drawing, Sheet, guards, publish
from interp_by_design.data.datamodule import ImageData
from interp_by_design.data.split import Split
from interp_by_design.explain import explain_globally
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.report.figures import FOLDER
from interp_by_design.report.options import ReportOptions, RunDescription
from interp_by_design.report.run_report import write_report
from interp_by_design.run.about import describe_run
from interp_by_design.run.fitting import callbacks_of
from interp_by_design.run.folder import RunFolder
from interp_by_design.terms import InterpretationTable, UserError

log = logging.getLogger(__name__)


def write_reports(
    folder: RunFolder,
    model: InterpretableModel,
    data: ImageData,
    tables: Mapping[str, InterpretationTable],
    trainer: pl.Trainer,
) -> None:
    """Write the report of a run for each `Report` callback, and pass it to the loggers.

    A report that fails is logged as a warning; the scores of the run are already on disk.

    Args:
        folder: The run folder, which already holds the scores.
        model: The model that was evaluated.
        data: The images.
        tables: Interpretation tables by split.
        trainer: The trainer of the run, with its callbacks and loggers.
    """
    splits = {split: data.split(split) for split in tables}
    for report in callbacks_of(trainer, Report):
        title = f"{folder.config.get('name') or 'run'}: {folder.path.resolve().name}"
        try:
            run = describe_run(folder, title, model.interpreter.n_attributes)
            page, shown = _written(folder.path, model, splits, tables, run, report.options)
        except Exception as error:
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            # The text of the error alone: a kept traceback would keep the tables in memory.
            log.warning(
                "The report is not done (%s%s). The scores of the run are complete. "
                "To try again: interp report %s",
                kind,
                str(error),
                folder.path,
            )
            continue
        step = max(0, trainer.global_step - 1)
        for logger in guards(trainer.loggers):
            publish(logger, shown, step)
            logger.log_page(page)


def _written(
    folder: Path,
    model: InterpretableModel,
    splits: Mapping[str, Split],
    tables: Mapping[str, InterpretationTable],
    run: RunDescription,
    options: ReportOptions,
) -> tuple[Path, list[Drawing | Sheet]]:
    """The page, and what dashboards show of it."""
    with evaluating(model):
        page = write_report(folder, model, splits, tables, run, options)
    found, classes = explain_globally(tables[options.split]), model.facts.class_names
    shown: list[Drawing | Sheet] = [
        attribute_table("report/attributes", found, classes, run.names),
        relevance_table("report/relevance", found, classes, run.names),
    ]
    return page, [*shown, *(_figures(folder, options) if options.figures else [])]


def _figures(folder: Path, options: ReportOptions) -> list[Drawing | Sheet]:
    """The light figures of the report."""
    return [
        Drawing(f"report/{file.stem}", f"{options.split}, at the end", file.read_bytes())
        for file in sorted((folder / FOLDER).glob("*.png"))
        if not file.stem.endswith("_dark")
    ]
