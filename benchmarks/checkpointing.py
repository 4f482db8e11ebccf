"""The cost of checkpoints: the share of a fit's time that they take.

usage: python -m benchmarks.checkpointing [--repeats 3]

Whole runs of the embedded experiment, and of a larger network on rendered images. Time counts from
the call to the file's new name: gathering the states, serialising, writing, syncing.
"""

from __future__ import annotations

import contextlib
import io
import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from hydra import compose, initialize_config_dir
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import ProgramParser
from benchmarks.record import save
from interp_by_design.run import train
from interp_by_design.run.configs import config_dir

CASES: dict[str, list[str]] = {
    "digits, LeNet (the default job)": [],
    "rendered images, ResNet-18": [
        "experiment=factors",
        "predictor=resnet18",
        "data.n_train=2600",
        "data.n_test=200",
        "trainer.max_epochs=3",
    ],
}


def main() -> None:
    """Measure each case, print the table and save it."""
    parser = ProgramParser(__doc__)
    parser.add_repeats()
    repeats = parser.parse_args().repeats
    logging.disable(logging.INFO)
    rows = [
        {"case": case, **median([measure(overrides) for _ in range(repeats)])}
        for case, overrides in CASES.items()
    ]
    table = Table("case", "checkpoints", "MB each", "s in them", "s of fitting", "share")
    for row in rows:
        table.add_row(
            str(row["case"]),
            f"{row['checkpoints']:.0f}",
            f"{row['megabytes']:.1f}",
            f"{row['seconds']:.2f}",
            f"{row['fit_seconds']:.1f}",
            f"{row['share']:.2%}",
        )
    Console().print(table)
    print(f"Written to {save('checkpointing', {'repeats': repeats, 'rows': rows})}")


def median(measured: list[dict[str, float]]) -> dict[str, float]:
    """Return the measurement with the middle share."""
    return sorted(measured, key=lambda each: each["share"])[len(measured) // 2]


def measure(overrides: list[str]) -> dict[str, float]:
    """Run once; return the checkpoints, their mean size, their seconds, and the fit's."""
    spent: list[float] = []
    original = pl.Trainer.save_checkpoint

    def timed(trainer: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        start = time.perf_counter()
        original(trainer, *args, **kwargs)
        spent.append(time.perf_counter() - start)

    pl.Trainer.save_checkpoint = timed  # type: ignore[method-assign, assignment]
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            with initialize_config_dir(str(config_dir()), version_base="1.3"):
                config = compose("train", [f"folder={folder}/run", "name=benchmark", *overrides])
            seconds = train(config)["train/seconds"]
            sizes = [file.stat().st_size for file in Path(folder).glob("run/checkpoints/*.ckpt")]
    finally:
        pl.Trainer.save_checkpoint = original  # type: ignore[method-assign]
    return {
        "checkpoints": len(spent),
        "megabytes": statistics.mean(sizes) / 1e6,
        "seconds": sum(spent),
        "fit_seconds": seconds,
        "share": sum(spent) / seconds,
    }


if __name__ == "__main__":
    main()
