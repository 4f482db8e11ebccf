"""Values that a run logged during training, as curves."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from interp_by_design.files import reporting_damage

LOGGED = "csv/metrics.csv"
COUNTERS = ("epoch", "step")

History = dict[str, tuple[list[int], list[float]]]


def read_history(folder: Path) -> History:
    """Read the values that a run logged.

    A last line that was cut short, by a kill or a full disk, is left out, and so are values that
    are not finite.

    Args:
        folder: The run folder.

    Returns:
        Steps and values of each key, in the order of logging; empty where nothing was logged.

    Raises:
        UserError: The file cannot be read.
    """
    file = folder / LOGGED
    if not file.is_file():
        return {}
    history: History = {}
    with reporting_damage(file):
        whole = file.read_text(encoding="utf-8").rpartition("\n")[0]
        for row in csv.DictReader(whole.splitlines()):
            for key, cell in row.items():
                if cell and key not in COUNTERS and math.isfinite(value := float(cell)):
                    steps, values = history.setdefault(key, ([], []))
                    steps.append(int(row["step"]))
                    values.append(value)
    return history
