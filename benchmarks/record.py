"""Result files with their origin: machine, versions, command, date."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interp_by_design.run.provenance import provenance

RESULTS = Path(__file__).parent.parent / "results"


def save(name: str, content: Mapping[str, Any]) -> Path:
    """Write `content` with its origin to results/<name>.json and return the path.

    Args:
        name: the program's name.
        content: what it measured.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    # Without the first of sys.argv: run as a module, that is a path of this machine.
    command = " ".join([f"python -m benchmarks.{name}", *sys.argv[1:]])
    made = {
        "date": datetime.date.today().isoformat(),
        **provenance(),
        "command": command,
        **content,
    }
    path.write_text(json.dumps(made, indent=2) + "\n")
    return path
