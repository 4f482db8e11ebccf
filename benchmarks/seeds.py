"""The similarity of attributes across seeds, in results/seeds.json, a row a setting."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS
from interp_by_design.run.folder import RunFolder
from interp_by_design.run.provenance import provenance
from interp_by_design.run.seed_stability import SPLIT, random_stability_of, stability_of
from interp_by_design.terms import UserError

RECORD = RESULTS / "seeds.json"
TITLE = "Attributes of runs of different seeds"
ABOUT = (
    "Mean correlation over the test images of attributes that are matched one to one with those of "
    "a run of another seed, over all pairs of runs; dead ones count as 0. Next to it the same of "
    "random dictionaries of that class and those settings, over the f of each run. Machine and "
    "versions are those of the latest row."
)
COLUMNS = {
    "setting": "`{setting}`",
    "seeds": "{seeds}",
    "attributes": "{attributes}",
    "stability_seeds": "{stability_seeds:.3f}",
    "random Ψ": "{stability_seeds_random:.3f}",
    "date": "{date}",
    "revision": "{revision}",
}


def add(setting: str, folders: Sequence[Path]) -> str:
    """Measure the runs of a setting and replace its row.

    A row lacks random dictionaries where they cannot be built; that is printed.

    Args:
        setting: an experiment and its options.
        folders: its run folders.

    Returns:
        The scores, in a line.

    Raises:
        UserError: the runs keep no tables.
    """
    found = {key.removeprefix(f"{SPLIT}/"): value for key, value in stability_of(folders).items()}
    try:
        found |= {
            key.removeprefix(f"{SPLIT}/"): value
            for key, value in random_stability_of(folders, trust=True).items()
        }
    except UserError as error:
        print(f"No random dictionaries for {setting}: {error}", file=sys.stderr)
    runs, here = [RunFolder(folder) for folder in folders], provenance()
    row: dict[str, Any] = {
        "setting": setting,
        "seeds": ", ".join(str(run.config.seed) for run in runs),
        "attributes": runs[0].config.attributes.n_attributes,
        **found,
        "date": datetime.date.today().isoformat(),
        "revision": here["revision"],
    }
    _write(row, here)
    return ", ".join(f"{key} {value:.3f}" for key, value in found.items())


def _write(row: dict[str, Any], here: dict[str, Any]) -> None:
    rows = json.loads(RECORD.read_text())["rows"] if RECORD.is_file() else []
    rows = sorted(
        [*(other for other in rows if other["setting"] != row["setting"]), row],
        key=lambda one: str(one["setting"]),
    )
    shared = {
        "versions": here["versions"],
        "machine": here["machine"],
        "command": "python -m benchmarks.series",
    }
    about = {"title": TITLE, "about": ABOUT, "columns": COLUMNS, "date": row["date"], **shared}
    RESULTS.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps({**about, "rows": rows}, indent=1, ensure_ascii=False) + "\n")
