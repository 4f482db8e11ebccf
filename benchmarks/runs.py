"""The record of runs, results/runs.json: what is kept of a run folder, and statistics over seeds. Knows no goals and no page."""

from __future__ import annotations

import datetime
import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from scipy.stats import t  # type: ignore[import-untyped]

from benchmarks.record import RESULTS
from interp_by_design.run.folder import RunFolder

RECORD = RESULTS / "runs.json"
# Options that say where a run reads or writes, how many threads it has, or what it draws, and so nothing of what it is.
PLACES = (
    "data.root",
    "data.workers",
    "data.classes",
    "predictor.weights",
    "predictor.path",
    "cache",
    "hydra",
    "folder",
    "threads",
    "name",
    "resume",
)
DRAWING = ("explanations", "relevance_map", "usage", "drift", "attribute_sheets", "report")
CONTROLS = "controls.json"
UNDRAWN = tuple(f"callbacks.{name}=null" for name in DRAWING)

Run = dict[str, Any]
Groups = Mapping[str, Sequence[Run]]


@dataclass(frozen=True)
class Interval:
    """A mean over n runs with its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float
    n: int


def recorded() -> dict[str, Run]:
    """The record as it is; empty where there is none."""
    runs: dict[str, Run] = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
    return runs


def added(runs: Mapping[str, Run], places: Iterable[Path]) -> dict[str, Run]:
    """The record with the finished runs in `places`; one of the same setting and seed takes the place of the older."""
    found = dict(runs)
    for place in places:
        for metrics in sorted(place.glob("**/metrics.json")):
            run = read(RunFolder.existing(metrics.parent))
            found[f"{run['setting']} seed={run['seed']}"] = run
    return dict(sorted(found.items()))


def read(folder: RunFolder) -> Run:
    """What the record keeps of a run; also the test scores of its controls by name, where `interp evaluate` has fitted them."""
    provenance = folder.read("provenance.json")
    return {
        "setting": setting_of(folder),
        "seed": folder.config.seed,
        "n_attributes": folder.config.attributes.n_attributes,
        "date": datetime.date.fromtimestamp(
            (folder.path / "metrics.json").stat().st_mtime
        ).isoformat(),
        "revision": provenance["revision"],
        "machine": provenance["machine"],
        "versions": provenance["versions"],
        "data": provenance["data"]["hash"],
        "metrics": folder.read("metrics.json"),
    } | ({"controls": folder.read(CONTROLS)["test"]} if folder.has(CONTROLS) else {})


def setting_of(folder: RunFolder) -> str:
    """The experiment of a run and the options that make it what it is."""
    overrides = [str(entry) for entry in OmegaConf.load(folder.path / ".hydra/overrides.yaml")]
    experiment = next(
        (entry.partition("=")[2] for entry in overrides if entry.startswith("experiment=")),
        "digits",
    )
    left_out = (*PLACES, *UNDRAWN, "experiment=", "seed=")
    return " ".join(
        [experiment, *sorted(entry for entry in overrides if not entry.startswith(left_out))]
    )


def by_setting(runs: Mapping[str, Run]) -> dict[str, list[Run]]:
    """The runs of each setting."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs.values():
        groups[run["setting"]].append(run)
    return dict(groups)


def values(runs: Iterable[Run], key: str) -> list[float]:
    """A score of those runs that have it."""
    return [run["metrics"][key] for run in runs if key in run["metrics"]]


def spread(found: Sequence[float], digits: int, scale: float = 1) -> str:
    """Mean ± standard deviation; the mean alone for one, nothing for none.

    >>> spread([0.98, 0.99], 2, 100), spread([1.0], 1), spread([], 1)
    ('98.50 ± 0.71', '1.0', '')
    """
    if not found:
        return ""
    mean = f"{scale * statistics.mean(found):.{digits}f}"
    return mean if len(found) < 2 else f"{mean} ± {scale * statistics.stdev(found):.{digits}f}"


def paired(ours: Iterable[Run], others: Iterable[Run], key: str) -> list[float]:
    """The difference in a score, run by run of the same seed, in the order of the seeds; seeds that one lacks are left out."""
    first = {run["seed"]: run["metrics"][key] for run in ours if key in run["metrics"]}
    second = {run["seed"]: run["metrics"][key] for run in others if key in run["metrics"]}
    return [first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())]


def interval(found: Sequence[float]) -> Interval | None:
    """`mean ± t_{n-1}(0.975) s / sqrt(n)`; None for fewer than two values, of which nothing is known about their spread."""
    n = len(found)
    if n < 2:
        return None
    mean, half = (
        statistics.mean(found),
        float(t.ppf(0.975, n - 1)) * statistics.stdev(found) / math.sqrt(n),
    )
    return Interval(mean, mean - half, mean + half, n)
