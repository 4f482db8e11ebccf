"""One pass over a data set; what comes out is what every analysis reads. Knows nothing of training or figures.

Imports nothing heavy by itself: a command that lists caches need not wait for what trains.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interp_by_design.gather.activation_cache import recorded
    from interp_by_design.gather.cache_settings import CacheSettings
    from interp_by_design.gather.class_means import ClassMeans, class_mean_images
    from interp_by_design.gather.interpretation_table import fits, interpretation_table
    from interp_by_design.gather.merging import merged
    from interp_by_design.gather.passes import passes
    from interp_by_design.gather.probes import probe_fidelities
    from interp_by_design.gather.recorded_data import RecordedData
    from interp_by_design.gather.table_folder import load_table, save_table

__all__ = [
    "CacheSettings",
    "ClassMeans",
    "RecordedData",
    "class_mean_images",
    "fits",
    "interpretation_table",
    "load_table",
    "merged",
    "passes",
    "probe_fidelities",
    "recorded",
    "save_table",
]

_HOMES = {
    "CacheSettings": "cache_settings",
    "ClassMeans": "class_means",
    "RecordedData": "recorded_data",
    "class_mean_images": "class_means",
    "fits": "interpretation_table",
    "interpretation_table": "interpretation_table",
    "load_table": "table_folder",
    "merged": "merging",
    "passes": "passes",
    "probe_fidelities": "probes",
    "recorded": "activation_cache",
    "save_table": "table_folder",
}


class _Room(ModuleType):
    """Hands out functions, not the modules of their name, which Python leaves in a package once they are imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Room


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
