"""Configs and scores of run folders, for comparison."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from pathlib import Path

from interp_by_design.files import reporting_damage
from interp_by_design.report.comparison.table import RunRecord
from interp_by_design.run.configs import dotted
from interp_by_design.run.folder import CONFIG, METRICS, PROVENANCE, RunFolder
from interp_by_design.terms import UserError


def read_runs(places: Iterable[Path]) -> tuple[list[RunRecord], list[str]]:
    """Read the runs in some places.

    Args:
        places: Run folders, and folders with some below them.

    Returns:
        The runs, and a message for each that cannot be read.

    Raises:
        UserError: For a place without a run, and where no run can be read.
    """
    folders = list(
        dict.fromkeys(folder.resolve() for place in places for folder in _run_folders(place))
    )
    top = os.path.commonpath([folder.parent for folder in folders])
    records, problems = [], []
    for folder in folders:
        try:
            records.append(_record(RunFolder.existing(folder), os.path.relpath(folder, top)))
        except UserError as error:
            problems.append(str(error))
    if not records:
        raise UserError("\n".join(["None of these runs can be read.", *problems]))
    return records, problems


def _run_folders(place: Path) -> list[Path]:
    """Return the run folders at or below `place`, damaged ones too, in the order of numbers."""
    files = [
        file for marker in (CONFIG, PROVENANCE, METRICS) for file in place.glob(f"**/{marker}")
    ]
    if not files:
        raise UserError(
            f"No run folder in {place}. "
            "Give one that a training has printed, or a folder with some below it."
        )
    folders = {file.parents[1] if file.parent.name == ".hydra" else file.parent for file in files}
    return sorted(
        folders,
        key=lambda folder: [
            int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", str(folder))
        ],
    )


def _record(folder: RunFolder, name: str) -> RunRecord:
    scores = folder.read(METRICS) if folder.has(METRICS) else None
    with reporting_damage(folder.path / METRICS):
        if scores and not all(math.isfinite(value) for value in scores.values()):
            raise UserError("it holds a number that is not finite")
    return RunRecord(name, dotted(folder.config), scores, folder.path)
