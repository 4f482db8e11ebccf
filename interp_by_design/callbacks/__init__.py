"""Lightning callbacks and loggers: when, not what."""

from interp_by_design.callbacks.best_checkpoint import BestCheckpoint
from interp_by_design.callbacks.exact_resume import ExactResume
from interp_by_design.callbacks.last_checkpoint import Interrupted, LastCheckpoint
from interp_by_design.callbacks.loggers import CSV, Guarded, TensorBoard, Wandb, announce, guarded, summarise
from interp_by_design.callbacks.progress import Progress
from interp_by_design.callbacks.throughput import Throughput

__all__ = [
    "CSV",
    "BestCheckpoint",
    "ExactResume",
    "Guarded",
    "Interrupted",
    "LastCheckpoint",
    "Progress",
    "TensorBoard",
    "Throughput",
    "Wandb",
    "announce",
    "guarded",
    "summarise",
]
