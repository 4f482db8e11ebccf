"""What a Python program calls on live objects: fitting, negative controls, scores."""

from interp_by_design.api.evaluation import evaluate, scores_of, scores_of_running, tables_of
from interp_by_design.api.lightning_warnings import silence_lightning
from interp_by_design.api.negative_controls import CONTROLS, controls, fitted_controls
from interp_by_design.api.options import FitOptions
from interp_by_design.api.post_hoc import interpret
from interp_by_design.api.source import Source, cached_source

__all__ = [
    "CONTROLS",
    "FitOptions",
    "Source",
    "cached_source",
    "controls",
    "evaluate",
    "fitted_controls",
    "interpret",
    "scores_of",
    "scores_of_running",
    "silence_lightning",
    "tables_of",
]
