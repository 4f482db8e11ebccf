"""Waiting times: for help, for the first training step, for the whole default job.

usage: python -m benchmarks.start [--repeats 3]

Whole processes on the wall clock, in a warm file cache. "First step" is a job that ends after one
step, without evaluation.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.arguments import ProgramParser
from benchmarks.record import save

TRAIN = Path(__file__).parent.parent / "train.py"


def main() -> None:
    """Measure each wait, print the table and save it."""
    parser = ProgramParser(__doc__)
    parser.add_repeats()
    repeats = parser.parse_args().repeats
    waits: dict[str, Callable[[], float]] = {
        "`train.py --help`": lambda: whole("--help"),
        "`train.py --cfg job`": lambda: whole("--cfg", "job"),
        "start to first epoch's end, one step an epoch (digits)": lambda: until(
            r"epoch 1/", "+trainer.limit_train_batches=1"
        ),
        "the whole default job (digits)": lambda: whole(),
    }
    rows = [
        {"what": what, "seconds": statistics.median(wait() for _ in range(repeats))}
        for what, wait in waits.items()
    ]
    table = Table("what", "seconds")
    for row in rows:
        table.add_row(str(row["what"]), f"{row['seconds']:.1f}")
    Console().print(table)
    print(f"Written to {save('start', {'repeats': repeats, 'rows': rows})}")


def whole(*arguments: str) -> float:
    """Return the seconds until the process ends."""
    return until(None, *arguments)


def until(line: str | None, *arguments: str) -> float:
    """Return the seconds until the process prints a line that matches, or ends.

    Raises:
        RuntimeError: the process fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [sys.executable, str(TRAIN), f"hydra.run.dir={folder}/run", *arguments]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout is not None  # noqa: S101  a pipe was asked for
            for printed in process.stdout:
                if line and re.match(line, printed):
                    seconds = time.perf_counter() - start
                    process.kill()
                    return seconds
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} failed; run it to see why.")
        return time.perf_counter() - start


if __name__ == "__main__":
    main()
