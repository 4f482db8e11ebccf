"""Explanations as numbers: what decides one image, what attributes stand for, where they look, what changes a decision.

Draws nothing and files nothing. Names are imported when first used: captum's import takes a second.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interp_by_design.explain.activation_maximization import PRESETS, Maximization, Maximized, maximization_for, maximize
    from interp_by_design.explain.audit import Audit, Suspect, audit
    from interp_by_design.explain.consistency import consistency_scores
    from interp_by_design.explain.decoder_views import DecoderViews, decoder_views
    from interp_by_design.explain.deletion import DeletionCheck, deletion_check
    from interp_by_design.explain.disagreement import Disagreement, disagreement
    from interp_by_design.explain.effects import effect_scores
    from interp_by_design.explain.faithfulness import faithfulness_scores
    from interp_by_design.explain.global_ import GlobalExplanation, explain_globally
    from interp_by_design.explain.heatmaps import Heatmaps, heatmaps
    from interp_by_design.explain.intervention import Intervened, Intervention, intervene, intervene_on
    from interp_by_design.explain.local import (
        TAU,
        LocalColumns,
        LocalReading,
        explain_set,
        local_columns,
        read_image,
        read_locally,
    )
    from interp_by_design.explain.maximum_activating import MaximumActivating, TopSamples, maximum_activating
    from interp_by_design.explain.sheets import AttributeSheet, SheetSettings, attribute_sheets
    from interp_by_design.explain.stability import stability_scores

_HOMES = {
    "activation_maximization": ("PRESETS", "Maximization", "Maximized", "maximization_for", "maximize"),
    "audit": ("Audit", "Suspect", "audit"),
    "consistency": ("consistency_scores",),
    "decoder_views": ("DecoderViews", "decoder_views"),
    "deletion": ("DeletionCheck", "deletion_check"),
    "disagreement": ("Disagreement", "disagreement"),
    "effects": ("effect_scores",),
    "faithfulness": ("faithfulness_scores",),
    "global_": ("GlobalExplanation", "explain_globally"),
    "heatmaps": ("Heatmaps", "heatmaps"),
    "intervention": ("Intervened", "Intervention", "intervene", "intervene_on"),
    "local": ("TAU", "LocalColumns", "LocalReading", "explain_set", "local_columns", "read_image", "read_locally"),
    "maximum_activating": ("MaximumActivating", "TopSamples", "maximum_activating"),
    "sheets": ("AttributeSheet", "SheetSettings", "attribute_sheets"),
    "stability": ("stability_scores",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PRESETS",
    "TAU",
    "AttributeSheet",
    "Audit",
    "DecoderViews",
    "DeletionCheck",
    "Disagreement",
    "GlobalExplanation",
    "Heatmaps",
    "Intervened",
    "Intervention",
    "LocalColumns",
    "LocalReading",
    "Maximization",
    "Maximized",
    "MaximumActivating",
    "SheetSettings",
    "Suspect",
    "TopSamples",
    "attribute_sheets",
    "audit",
    "consistency_scores",
    "decoder_views",
    "deletion_check",
    "disagreement",
    "effect_scores",
    "explain_globally",
    "explain_set",
    "faithfulness_scores",
    "heatmaps",
    "intervene",
    "intervene_on",
    "local_columns",
    "maximization_for",
    "maximize",
    "maximum_activating",
    "read_image",
    "read_locally",
    "stability_scores",
]


class _Room(ModuleType):
    """Hands out functions, not the modules of their name, which Python leaves in a package once they are imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOME_OF or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Room


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
