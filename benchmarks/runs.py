"""The record of runs, results/runs.json, and statistics over seeds."""

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
# Options of where a run reads or writes and what it draws; they do not change its numbers.
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
    """A mean with its 95 % interval (Student's t).

    Args:
        mean: the mean.
        low: the lower end.
        high: the upper end.
        n: number of runs.
    """

    mean: float
    low: float
    high: float
    n: int


def recorded() -> dict[str, Run]:
    """Return the record; empty where there is none."""
    runs: dict[str, Run] = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
    return runs


def added(runs: Mapping[str, Run], places: Iterable[Path]) -> dict[str, Run]:
    """Return the record with more runs; a run replaces the older one of its setting and seed.

    Args:
        runs: the record.
        places: folders with finished runs somewhere below them.
    """
    found = dict(runs)
    for place in places:
        for metrics in sorted(place.glob("**/metrics.json")):
            run = read(RunFolder.existing(metrics.parent))
            found[f"{run['setting']} seed={run['seed']}"] = run
    return dict(sorted(found.items()))


def read(folder: RunFolder) -> Run:
    """Return the record's entry of a run, with the test scores of controls that were fitted to it.

    Args:
        folder: the run's folder.
    """
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
    """Return the experiment of a run and the options that change its numbers.

    Args:
        folder: the run's folder.
    """
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
    """Return the runs of each setting.

    Args:
        runs: the record.
    """
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs.values():
        groups[run["setting"]].append(run)
    return dict(groups)


def values(runs: Iterable[Run], key: str) -> list[float]:
    """Return a score of those runs that have it.

    Args:
        runs: runs of one setting.
        key: the score's key, with its split.
    """
    return [run["metrics"][key] for run in runs if key in run["metrics"]]


def spread(found: Sequence[float], digits: int, scale: float = 1) -> str:
    """Return mean ± standard deviation; the mean alone for one value, nothing for none.

    Args:
        found: values over seeds.
        digits: digits after the point.
        scale: factor to the unit that is shown.

    >>> spread([0.98, 0.99], 2, 100), spread([1.0], 1), spread([], 1)
    ('98.50 ± 0.71', '1.0', '')
    """
    if not found:
        return ""
    mean = f"{scale * statistics.mean(found):.{digits}f}"
    return mean if len(found) < 2 else f"{mean} ± {scale * statistics.stdev(found):.{digits}f}"


def paired(ours: Iterable[Run], others: Iterable[Run], key: str) -> list[float]:
    """Return differences of a score between runs of the same seed, in the order of the seeds.

    Args:
        ours: runs of one setting.
        others: runs of another; seeds that one of them lacks are left out.
        key: the score's key, with its split.
    """
    first = {run["seed"]: run["metrics"][key] for run in ours if key in run["metrics"]}
    second = {run["seed"]: run["metrics"][key] for run in others if key in run["metrics"]}
    return [first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())]


def interval(found: Sequence[float]) -> Interval | None:
    """Return `mean ± t_{n-1}(0.975) s / sqrt(n)`; None for fewer than two values.

    Args:
        found: values over seeds.
    """
    n = len(found)
    if n < 2:
        return None
    mean, half = (
        statistics.mean(found),
        float(t.ppf(0.975, n - 1)) * statistics.stdev(found) / math.sqrt(n),
    )
    return Interval(mean, mean - half, mean + half, n)
