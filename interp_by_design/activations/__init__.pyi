from .activation_cache import recorded
from .cache_settings import CacheSettings
from .cached_data import CachedData
from .class_means import ClassMeans, class_mean_images
from .passes import passes
from .probes import probe_fidelities
from .table_folder import load_table, save_table
from .table_merging import merged
from .table_pass import fits, interpretation_table

__all__ = [
    "CacheSettings",
    "CachedData",
    "ClassMeans",
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
