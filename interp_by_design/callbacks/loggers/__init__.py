"""Loggers of a run: a CSV table and dashboards, none of which can stop a run."""

from interp_by_design.callbacks.loggers.csv import CSV
from interp_by_design.callbacks.loggers.guard import (
    Guarded,
    announce,
    guarded,
    guards,
    publish,
    summarise,
)
from interp_by_design.callbacks.loggers.media import Drawing, Sheet
from interp_by_design.callbacks.loggers.tensorboard import TensorBoard
from interp_by_design.callbacks.loggers.wandb import Wandb

__all__ = [
    "CSV",
    "Drawing",
    "Guarded",
    "Sheet",
    "TensorBoard",
    "Wandb",
    "announce",
    "guarded",
    "guards",
    "publish",
    "summarise",
]
