from .attribute_sheets import AttributeSheets
from .best_checkpoint import BestCheckpoint
from .drift import Drift
from .exact_resume import ExactResume
from .figure_callback import FigureCallback
from .last_checkpoint import Interrupted, LastCheckpoint
from .local_explanations import LocalExplanations
from .loggers import CSV, Guarded, TensorBoard, Wandb, announce, guarded, summarise
from .progress import Progress
from .relevance_map import RelevanceMap
from .report import Report
from .throughput import Throughput
from .usage import Usage

__all__ = [
    "CSV",
    "AttributeSheets",
    "BestCheckpoint",
    "Drift",
    "ExactResume",
    "FigureCallback",
    "Guarded",
    "Interrupted",
    "LastCheckpoint",
    "LocalExplanations",
    "Progress",
    "RelevanceMap",
    "Report",
    "TensorBoard",
    "Throughput",
    "Usage",
    "Wandb",
    "announce",
    "guarded",
    "summarise",
]
