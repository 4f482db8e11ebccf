"""Overview section: scorecard, headlines and curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from interp_by_design.report.page.curves import Chart, charts
from interp_by_design.report.page.data import ReportData
from interp_by_design.report.page.scorecard import Scorecard, scorecard
from interp_by_design.report.page.section import Section


@final
@dataclass(frozen=True)
class OverviewValues:
    """The numbers of the run.

    Args:
        scorecard: The scorecard.
        charts: Curves over τ and over training.
    """

    scorecard: Scorecard
    charts: tuple[Chart, ...]


def overview_values(data: ReportData) -> OverviewValues:
    """Format the scores of the run.

    Args:
        data: The data of the report.

    Returns:
        The values of the section.
    """
    run, tau = data.run, data.findings.columns.tau
    return OverviewValues(
        scorecard(run.scores, data.n_attributes, tau, run.controls),
        charts(run.scores, run.history),
    )


SECTION = Section(
    "overview",
    "Overview",
    overview_values,
    script="overview",
    template="overview",
    style="overview",
)
