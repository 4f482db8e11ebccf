"""The logged numbers of a run as one CSV table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from interp_by_design.callbacks.loggers.media import Drawing, Sheet
from interp_by_design.files import write_text


@final
class CSV(Logger):
    """Write `<folder>/csv/metrics.csv`: one row for numbers that are logged together.

    Columns are in alphabetical order, `step` among them. The first row of a process replaces the
    rows of its step and later ones, which a resumed run repeats, so that the table of a resumed
    run equals that of an unbroken one. Rows are appended; a new column rewrites the table, whole
    or not at all.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self._folder = Path(folder)
        self._file = self._folder / "csv" / "metrics.csv"
        self._columns: list[str] = []  # empty until this process writes

    @property
    def name(self) -> str:
        return ""

    @property
    def version(self) -> str:
        return "csv"

    @property
    def save_dir(self) -> str:
        return str(self._folder)

    @property
    def log_dir(self) -> str:
        return str(self._file.parent)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        row = {
            key: value.item() if isinstance(value, Tensor) else value
            for key, value in metrics.items()
        } | {"step": step}
        if not self._columns:
            self._rewrite([*(kept for kept in self._rows() if _before(kept, step)), row])
        elif not row.keys() <= set(self._columns):
            self._rewrite([*self._rows(), row])
        else:
            with self._file.open("a", newline="") as file:
                csv.DictWriter(file, self._columns, lineterminator="\n").writerow(row)

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the run folder has the config.

        Args:
            params: Ignored.
            *args: Ignored.
            **kwargs: Ignored.
        """

    def log_drawings(self, drawings: Sequence[Drawing], step: int) -> None:
        """Do nothing: the run folder has the figures.

        Args:
            drawings: The figures.
            step: Global step.
        """

    def log_sheet(self, sheet: Sheet, step: int) -> None:
        """Do nothing: the report has the tables.

        Args:
            sheet: The table.
            step: Global step.
        """

    def log_page(self, page: Path) -> None:
        """Do nothing: the run folder has the page.

        Args:
            page: Path of the report.
        """

    def summarise(self, scores: Mapping[str, float]) -> None:
        """Do nothing: the run folder has the scores.

        Args:
            scores: Scores by keys such as `test/fidelity`.
        """

    def _rows(self) -> list[dict[str, Any]]:
        """The rows on disk without empty cells, and without a last row that was cut short."""
        if not self._file.is_file():
            return []
        whole = self._file.read_text().rpartition("\n")[0]
        return [
            {key: cell for key, cell in row.items() if cell}
            for row in csv.DictReader(whole.splitlines())
        ]

    def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        columns = sorted(set().union(*rows))
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self._file, table.getvalue())
        self._columns = columns


def _before(row: Mapping[str, Any], step: int | None) -> bool:
    return step is None or "step" not in row or int(row["step"]) < step
