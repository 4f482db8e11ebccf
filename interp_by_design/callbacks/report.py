"""The page at the end of a run: written by `report`, handed on to the loggers here. What is in it, the report decides."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import final

import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger

from interp_by_design.callbacks.attribute_table import attribute_table, relevance_table
from interp_by_design.callbacks.figure_callback import checked_tau
from interp_by_design.callbacks.loggers import Drawing, Sheet, guards, publish
from interp_by_design.data.split import Split
from interp_by_design.explain import TAU, explain_globally
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.report.figures import FOLDER
from interp_by_design.report.names import read_names
from interp_by_design.report.run_report import ReportOptions, RunAbout, write_report
from interp_by_design.terms import InterpretationTable, UnknownName, UserError

SPLITS = ("train", "val", "test")

log = logging.getLogger(__name__)


@final
class Report(pl.Callback):
    """`report.html` in the run folder, once the run is evaluated; whoever evaluates it calls `write`.

    split: the images that are explained. samples: how many of them the page can show.
    starts: images from which an attribute's maximisation starts. maximize: whether to maximise at all; it takes most of the time.
    tau: which attributes of an image are shown, unless the reader asks for others. figures: whether to file figures beside it.
    Dashboards get the page, its figures, and tables of attributes and classes.
    """

    def __init__(
        self,
        split: str = "test",
        samples: int = 200,
        starts: int = 3,
        maximize: bool = True,
        tau: float = TAU,
        figures: bool = True,
    ) -> None:
        """Raises `UserError` for what cannot be, before anything is trained."""
        for name, given in {"samples": samples, "starts": starts}.items():
            if not isinstance(given, int) or given < 1:
                raise UserError(f"{name} must be a whole number of at least 1, not {given!r}.")
        if split not in SPLITS:
            raise UnknownName.among("split", str(split), SPLITS)
        self.options = ReportOptions(
            split=split,
            samples=samples,
            starts=starts,
            maximize=maximize,
            tau=checked_tau(tau),
            figures=figures,
        )
        self._step = 0  # the last one of the fit

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._step = max(0, trainer.global_step - 1)

    def write(
        self,
        folder: Path,
        model: InterpretableModel,
        splits: Mapping[str, Split],
        tables: Mapping[str, InterpretationTable],
        about: RunAbout,
        loggers: Iterable[Logger],
    ) -> Path | None:
        """Writes the page and hands it, with tables of attributes and classes, to the loggers. Returns where it is.

        Never raises but for an interrupt: a run that is evaluated has its numbers, and whatever goes wrong here is told.
        """
        try:
            with evaluating(model):
                page = write_report(folder, model, splits, tables, about, self.options)
            shown = [
                *self._tables(folder, model, tables[self.options.split]),
                *self._figures(folder),
            ]
        except Exception as error:
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            told = "The report is not done (%s%s). The run's numbers are not touched by that. To try again: interp report %s"
            log.warning(
                told, kind, str(error), folder
            )  # the error itself would keep the tables, where somebody keeps records
            return None
        for logger in guards(loggers):
            publish(logger, shown, self._step)
            logger.log_page(page)
        return page

    def _tables(
        self, folder: Path, model: InterpretableModel, table: InterpretationTable
    ) -> list[Drawing | Sheet]:
        found, classes, names = explain_globally(table), model.facts.class_names, read_names(folder)
        return [
            attribute_table("report/attributes", found, classes, names),
            relevance_table("report/relevance", found, classes, names),
        ]

    def _figures(self, folder: Path) -> list[Drawing | Sheet]:
        """What the report has filed, as it looks on a light page."""
        files = sorted((folder / FOLDER).glob("*.png")) if self.options.figures else []
        over = f"{self.options.split}, at the end"
        return [
            Drawing(f"report/{file.stem}", over, file.read_bytes())
            for file in files
            if not file.stem.endswith("_dark")
        ]
