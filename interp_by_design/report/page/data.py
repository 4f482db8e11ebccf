"""Input of the page's sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from interp_by_design.report.findings import Findings
from interp_by_design.report.images import ReportImages
from interp_by_design.report.options import RunDescription


@final
@dataclass(frozen=True, eq=False)
class ReportData:
    """Everything that a page and its figures show of a run, already computed and read.

    Args:
        run: The files of the run folder.
        facts: Names and values that describe the model and the report.
        class_names: Name of each class.
        findings: The explanations.
        images: Images of the explained split.
    """

    run: RunDescription
    facts: tuple[tuple[str, str], ...]
    class_names: tuple[str, ...]
    findings: Findings
    images: ReportImages

    @property
    def n_attributes(self) -> int:
        """Number of attributes J."""
        return self.findings.table.head_weights.shape[1]
