"""Write docs/results.md, its pictures and the README's tables.

usage: python -m benchmarks.pages [RUN …]

Each RUN is a run folder, or a folder with run folders somewhere below it. Their numbers are added
to results/runs.json, a record that outlives the folders; a run replaces the older one of the same
experiment, options and seed. The pages are then written from that record and from the other files
in results/.
"""

from __future__ import annotations

import json

from benchmarks.arguments import ProgramParser
from benchmarks.pages.pictures import write_pictures
from benchmarks.pages.results_page import PAGE, PICTURES, page
from benchmarks.pages.scores import stability
from benchmarks.pages.short_form import write_short_forms
from benchmarks.record import RESULTS
from benchmarks.runs import RECORD, added, by_setting, recorded


def main() -> None:
    """Add the given folders to the record and write the pages."""
    parser = ProgramParser(__doc__)
    parser.add_runs(at_least=0)
    runs = added(recorded(), parser.parse_args().runs)
    RESULTS.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(runs, indent=1) + "\n")
    PAGE.parent.mkdir(exist_ok=True)
    groups, together = by_setting(runs), stability()
    write_pictures(groups, PICTURES)
    PAGE.write_text(page(groups, together))
    written = write_short_forms(groups, together)
    print(f"Wrote {', '.join([PAGE.name, *written])} and the pictures from {len(runs)} runs.")


if __name__ == "__main__":
    main()
