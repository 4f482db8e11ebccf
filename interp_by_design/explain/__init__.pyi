from .activation_maximization import PRESETS, Maximization, Maximized, maximization_for, maximize
from .activation_range import rows_by_strength
from .consistency import consistency_scores
from .decision_counts import ClassCounts, class_counts
from .decoder_images import DecoderViews, decoder_views
from .deletion import DeletionCheck, deletion_check
from .disagreements import Disagreement, disagreement
from .effects import effect_scores
from .faithfulness import faithfulness_scores
from .global_explanation import GlobalExplanation, explain_globally
from .heat_maps import Heatmaps, heatmaps
from .intervention import Intervened, Intervention, intervene, intervene_on
from .local_explanation import LocalColumns, explain_row, explain_set, local_columns
from .sample_selection import SampleSelection, select_samples, typical_rows
from .sheets import AttributeSheet, SheetSettings, attribute_sheets
from .shortcut_audit import Audit, Suspect, audit
from .stability import stability_scores
from .target import Target
from .top_samples import MaximumActivating, TopSamples, maximum_activating

__all__ = [
    "PRESETS",
    "AttributeSheet",
    "Audit",
    "ClassCounts",
    "DecoderViews",
    "DeletionCheck",
    "Disagreement",
    "GlobalExplanation",
    "Heatmaps",
    "Intervened",
    "Intervention",
    "LocalColumns",
    "Maximization",
    "Maximized",
    "MaximumActivating",
    "SampleSelection",
    "SheetSettings",
    "Suspect",
    "Target",
    "TopSamples",
    "attribute_sheets",
    "audit",
    "class_counts",
    "consistency_scores",
    "decoder_views",
    "deletion_check",
    "disagreement",
    "effect_scores",
    "explain_globally",
    "explain_row",
    "explain_set",
    "faithfulness_scores",
    "heatmaps",
    "intervene",
    "intervene_on",
    "local_columns",
    "maximization_for",
    "maximize",
    "maximum_activating",
    "rows_by_strength",
    "select_samples",
    "stability_scores",
    "typical_rows",
]
