"""From a config: train, evaluate, load. The only room that reads a config, and the owner of the run folder.

Imports nothing heavy by itself, so that `--help` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interp_by_design.run.job import evaluate, train
    from interp_by_design.run.loading import load

__all__ = ["evaluate", "load", "train"]

_HOMES = {"evaluate": "job", "load": "loading", "train": "job"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
