"""Lightning callbacks and loggers: when, not what.

Names are imported when first used: those that draw bring matplotlib with them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interp_by_design.callbacks.attribute_sheets import AttributeSheets
    from interp_by_design.callbacks.best_checkpoint import BestCheckpoint
    from interp_by_design.callbacks.drift import Drift
    from interp_by_design.callbacks.exact_resume import ExactResume
    from interp_by_design.callbacks.last_checkpoint import Interrupted, LastCheckpoint
    from interp_by_design.callbacks.local_explanations import LocalExplanations
    from interp_by_design.callbacks.loggers import CSV, Guarded, TensorBoard, Wandb, announce, guarded, summarise
    from interp_by_design.callbacks.progress import Progress
    from interp_by_design.callbacks.relevance_map import RelevanceMap
    from interp_by_design.callbacks.report import Report
    from interp_by_design.callbacks.showing import Showing
    from interp_by_design.callbacks.throughput import Throughput
    from interp_by_design.callbacks.usage import Usage

__all__ = [
    "CSV",
    "AttributeSheets",
    "BestCheckpoint",
    "Drift",
    "ExactResume",
    "Guarded",
    "Interrupted",
    "LastCheckpoint",
    "LocalExplanations",
    "Progress",
    "RelevanceMap",
    "Report",
    "Showing",
    "TensorBoard",
    "Throughput",
    "Usage",
    "Wandb",
    "announce",
    "guarded",
    "summarise",
]

_HOMES = {
    "AttributeSheets": "attribute_sheets",
    "BestCheckpoint": "best_checkpoint",
    "CSV": "loggers",
    "Drift": "drift",
    "ExactResume": "exact_resume",
    "Guarded": "loggers",
    "Interrupted": "last_checkpoint",
    "LastCheckpoint": "last_checkpoint",
    "LocalExplanations": "local_explanations",
    "Progress": "progress",
    "RelevanceMap": "relevance_map",
    "Report": "report",
    "Showing": "showing",
    "TensorBoard": "loggers",
    "Throughput": "throughput",
    "Usage": "usage",
    "Wandb": "loggers",
    "announce": "loggers",
    "guarded": "loggers",
    "summarise": "loggers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
