"""The numbers that a run logged while it trained, as curves. Does not know who logged them, nor how they are drawn."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from interp_by_design.files import reading

LOGGED = "csv/metrics.csv"
COUNTERS = ("epoch", "step")

History = dict[str, tuple[list[int], list[float]]]


def read_history(folder: Path) -> History:
    """For each key that the run in `folder` logged, its steps and its values, in the order of logging; {} where it logged none.

    A last line that was cut short, by a kill or a full disk, is left out; so are values that are no finite numbers. Raises
    `UserError` for a file that cannot be read.
    """
    file = folder / LOGGED
    if not file.is_file():
        return {}
    history: History = {}
    with reading(file):
        whole = file.read_text(encoding="utf-8").rpartition("\n")[0]
        for row in csv.DictReader(whole.splitlines()):
            for key, cell in row.items():
                if cell and key not in COUNTERS and math.isfinite(value := float(cell)):
                    steps, values = history.setdefault(key, ([], []))
                    steps.append(int(row["step"]))
                    values.append(value)
    return history
