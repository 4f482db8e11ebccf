"""Figures: values in, `matplotlib.figure.Figure` out; nothing is computed, shown or saved.

One function per figure; two themes, both safe for colour-blind people. Text from outside, such as
class names, is drawn literally, and shortened where it is too long.
"""

from interp_by_design.visualize.bars import relevance_bars
from interp_by_design.visualize.confusion_figure import confusion
from interp_by_design.visualize.curves import loss_curves, tau_curves
from interp_by_design.visualize.drift_figure import drift
from interp_by_design.visualize.explanation_figure import local_figure
from interp_by_design.visualize.relevance_figure import relevance_map
from interp_by_design.visualize.schedule import schedule_curves
from interp_by_design.visualize.sheet_figure import attribute_sheet
from interp_by_design.visualize.theme import DARK, LIGHT, Theme
from interp_by_design.visualize.usage_figure import usage

__all__ = [
    "DARK",
    "LIGHT",
    "Theme",
    "attribute_sheet",
    "confusion",
    "drift",
    "local_figure",
    "loss_curves",
    "relevance_bars",
    "relevance_map",
    "schedule_curves",
    "tau_curves",
    "usage",
]
