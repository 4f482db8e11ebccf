"""`interp report`: the page of a run, from its folder and its data. Knows nothing of what is on the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omegaconf import OmegaConf

from interp_by_design.files import reading
from interp_by_design.report.findings import SHEETS_FROM
from interp_by_design.report.history import read_history
from interp_by_design.report.names import read_names
from interp_by_design.report.options import ReportOptions, RunDescription
from interp_by_design.report.run_report import write_report
from interp_by_design.run.control_scores import belonging, kept
from interp_by_design.run.folder import METRICS, PROVENANCE, RunFolder
from interp_by_design.run.saved_run import SavedRun


def report_run(run: SavedRun, options: ReportOptions) -> Path:
    """Writes the page of `run` into its folder, with the scores of its controls where those are kept; returns its file.

    Raises `UserError` where the images are not there, and where the folder cannot be written.
    """
    wanted = dict.fromkeys((SHEETS_FROM, options.split))
    tables = {split: run.table(split) for split in wanted}
    splits = {split: run.data.split(split) for split in wanted}
    beside = kept(run.folder, belonging(run.folder, run.model, run.seed))
    told = replace(
        about(run.folder, run.title, run.model.interpreter.n_attributes), controls=beside or {}
    )
    return write_report(run.folder.path, run.model, splits, tables, told, options)


def about(folder: RunFolder, title: str, n_attributes: int) -> RunDescription:
    """What a report says of the run beside what it finds, as the run wrote it down."""
    provenance = folder.read(PROVENANCE)
    return RunDescription(
        title=title,
        command=str(provenance.get("command", "")),
        config_yaml=OmegaConf.to_yaml(folder.config),
        provenance=provenance,
        scores=scores(folder),
        names=read_names(folder.path, n_attributes),
        history=read_history(folder.path),
    )


def scores(folder: RunFolder) -> dict[str, float]:
    """The run's numbers; none of a run that has not come to its end."""
    if not folder.has(METRICS):
        return {}
    with reading(folder.path / METRICS):
        return {str(key): float(value) for key, value in folder.read(METRICS).items()}
