"""docs/results.md as a whole."""

from __future__ import annotations

from benchmarks.pages.experiment_tables import runs_section, scores_section
from benchmarks.pages.goals_page import goals_section
from benchmarks.pages.pictures import pictures_section
from benchmarks.pages.result_sections import sections
from benchmarks.pages.scores import Stability
from benchmarks.record import RESULTS
from benchmarks.runs import Groups

PAGE = RESULTS.parent / "docs/results.md"
PICTURES = RESULTS.parent / "docs/pictures/results"
INTRODUCTION = """# Results

Written by `make results` from run folders (`python -m benchmarks.pages RUN …`) and
`results/*.json`; only the paper's own numbers are typed by hand. Mean ± standard deviation over
seeds, on the test split; accuracy and fidelity in percent. What each score means:
`interp_by_design/metrics/scores.py`. Each row names the command that makes it.
"""
TABLES = """# Every experiment

CNS and abs are the scorecard's `conciseness` and `conciseness_abs`. Seconds of fitting are
wall-clock; runs of one thread shared the machine with others.
"""


def page(groups: Groups, together: Stability) -> str:
    """Return the page, from the record of runs and the other result files.

    Args:
        groups: runs by setting.
        together: scores of several runs together, by setting.
    """
    parts = [
        INTRODUCTION,
        goals_section(groups, together),
        pictures_section(groups, PICTURES.relative_to(PAGE.parent)),
    ]
    return "\n".join(
        [*filter(None, parts), TABLES, scores_section(groups), runs_section(groups), *sections()]
    )
