"""Invented runs for the tests of the results pages."""

from __future__ import annotations

from benchmarks.runs import Run, by_setting
from benchmarks.tracks import (
    GROUPS,
    bare,
)

MACHINE = {"processor": "a processor", "gpu": None, "threads": 2, "cores": 2}
MNIST = next(group for group in GROUPS if group.setting == "mnist")
GOOD = {
    "test/predictor_accuracy": 0.99,
    "test/interpreter_accuracy": 0.99,
    "test/fidelity": 0.997,
    "test/fidelity_hard": 0.9,
    "test/within_class_explained": 0.4,
    "test/sufficiency@5": 0.99,
    "test/conciseness_abs@5": 3.0,
    "test/logit_predictability": 0.7,
    "test/dead_attributes": 0.0,
    "test/always_on_attributes": 0.0,
    "test/unexplained_share": 0.0,
    "test/exclusive_attributes": 5.0,
    "test/faithfulness": 0.4,
    "test/faithfulness_random": 0.1,
    "test/faithfulness_gap_low": 0.2,
}


def run(seed: int, fidelity: float = 0.997, setting: str = "mnist", **more: float) -> Run:
    given = {f"test/{key.replace('_at_', '@')}": value for key, value in more.items()}
    return {
        "setting": setting,
        "seed": seed,
        "n_attributes": 25,
        "date": "2026-01-31",
        "revision": "abc",
        "machine": MACHINE,
        "versions": {"torch": "2.15.0"},
        "metrics": {
            "test/fidelity": fidelity,
            "test/dead_attributes": 1.0,
            "train/seconds": 10.0 * (seed + 1),
        }
        | given,
    }


def good(seed: int, setting: str = "mnist", **more: float) -> Run:
    made = run(seed, setting=setting)
    made["metrics"] |= GOOD | {
        f"test/{key.replace('_at_', '@')}": value for key, value in more.items()
    }
    return made


def of(*runs: Run) -> dict[str, list[Run]]:
    return by_setting({f"{run['setting']} seed={run['seed']}": run for run in runs})


def everything() -> dict[str, list[Run]]:
    """Runs of MNIST that reach every goal."""
    controls = [
        good(0, f"mnist {control}", fidelity=0.5, within_class_explained=0.0)
        for control in CONTROLS
    ]
    return of(
        *(good(seed) for seed in range(3)),
        *(good(seed, bare("mnist")) for seed in range(3)),
        *controls,
    )


CONTROLS = ("interpreter=frozen_random", "interpreter=relabelled")
TOGETHER = {"mnist": {"stability_seeds": 0.7, "stability_seeds_random": 0.3}}


def line(text: str, begin: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(begin))
