"""From a config: train, evaluate, load. The only room that reads a config, and the owner of the run folder.

Imports nothing heavy by itself, so that `--help` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

if TYPE_CHECKING:
    from interp_by_design.run.job import train
    from interp_by_design.run.loading import load
    from interp_by_design.run.opened_run import open_run

__all__ = ["FORMAT", "load", "open_run", "train"]

FORMAT = 1  # of the run folder; any other is refused by its number

# In conf/train.yaml: a resumed run goes on in its own folder.
OmegaConf.register_new_resolver("run_folder", lambda resume, fresh: fresh if resume is None else resume, replace=True)

_HOMES = {"load": "loading", "open_run": "opened_run", "train": "job"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
