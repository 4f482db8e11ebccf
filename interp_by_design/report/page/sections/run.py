"""Run section: command, configuration and provenance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import final

from interp_by_design.report.page.data import ReportData
from interp_by_design.report.page.section import Section


@final
@dataclass(frozen=True)
class RunValues:
    """The run as text.

    Args:
        command: Command line that started the run.
        config: Its configuration as YAML.
        provenance: Its provenance as JSON.
        facts: Names and values that describe the model and the report.
    """

    command: str
    config: str
    provenance: str
    facts: tuple[tuple[str, str], ...]


def run_values(data: ReportData) -> RunValues:
    """Format the description of the run.

    Args:
        data: The data of the report.

    Returns:
        The values of the section.
    """
    run = data.run
    provenance = json.dumps(dict(run.provenance), indent=2, ensure_ascii=False, default=str)
    return RunValues(run.command, run.config_yaml, provenance, data.facts)


SECTION = Section("run", "Run", run_values, template="run")
