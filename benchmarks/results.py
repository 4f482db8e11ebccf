"""Rebuilds docs/results.md from run folders; nothing in it is typed by hand.

usage: python -m benchmarks.results [RUN …]

Each RUN is a run folder, or a folder with run folders somewhere below it. Their numbers are added to results/runs.json, a record
that outlives the folders; a run with the same experiment, options and seed takes the place of the older one. The page is then
written from that record and from the other files in results/, with its pictures, and the README's short form.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.goals_page import goals_section
from benchmarks.measured import sections
from benchmarks.pictures import pictures_section, write_pictures
from benchmarks.readme import written
from benchmarks.record import RESULTS
from benchmarks.runs import RECORD, Groups, added, by_setting, recorded
from benchmarks.scores import Stability, stability
from benchmarks.tables import runs_section, scores_section

PAGE = RESULTS.parent / "docs/results.md"
README = RESULTS.parent / "README.md"
PICTURES = RESULTS.parent / "docs/pictures/results"


def main() -> None:
    """Reads the folders given, adds them to the record, writes the page."""
    runs = added(recorded(), map(Path, sys.argv[1:]))
    RESULTS.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(runs, indent=1) + "\n")
    PAGE.parent.mkdir(exist_ok=True)
    groups, together = by_setting(runs), stability()
    write_pictures(groups, PICTURES)
    PAGE.write_text(page(groups, together))
    README.write_text(written(README.read_text(), groups, together))
    print(
        f"Wrote {PAGE.name}, its pictures, and the short form in {README.name} from {len(runs)} runs."
    )


def page(groups: Groups, together: Stability) -> str:
    """The whole page, from the record and the other result files."""
    parts = [
        INTRODUCTION,
        goals_section(groups, together),
        pictures_section(groups, PICTURES.relative_to(PAGE.parent)),
    ]
    return "\n".join(
        [*filter(None, parts), TABLES, scores_section(groups), runs_section(groups), *sections()]
    )


INTRODUCTION = """# Results

Written by `make results` from run folders (`python -m benchmarks.results RUN …`) and `results/*.json`; nothing here is typed by
hand but the paper's own numbers. Mean ± standard deviation over seeds, on the test split; accuracy and fidelity in percent. What
each score means: `interp_by_design/metrics/scores.py`. Each row names the command that makes it.
"""

TABLES = """# Every experiment

CNS and abs are the scorecard's `conciseness` and `conciseness_abs`. Seconds of fitting are wall-clock; runs of one thread shared
the machine with others.
"""


if __name__ == "__main__":
    main()
