"""Fitting from live Python objects. Knows nothing of configs and run folders."""

from interp_by_design.fit.controls import CONTROLS, controls, fitted_controls
from interp_by_design.fit.evaluation import evaluate, scores_of, scores_of_running, tables_of
from interp_by_design.fit.interpret import interpret
from interp_by_design.fit.options import FitOptions
from interp_by_design.fit.quiet import quiet_lightning
from interp_by_design.fit.source import Source, recorded_source

__all__ = [
    "CONTROLS",
    "FitOptions",
    "Source",
    "controls",
    "evaluate",
    "fitted_controls",
    "interpret",
    "quiet_lightning",
    "recorded_source",
    "scores_of",
    "scores_of_running",
    "tables_of",
]
