from .activation_cache import cached_activations
from .cache_settings import CacheSettings
from .cached_data import CachedData
from .class_means import ClassMeans, class_mean_images
from .passes import forward_passes
from .probes import probe_fidelities
from .saved_cache import open_cache
from .table_folder import load_table, save_table
from .table_merging import merged
from .table_pass import fits, interpretation_table, table_of_interpretations

__all__ = [
    "CacheSettings",
    "CachedData",
    "ClassMeans",
    "cached_activations",
    "class_mean_images",
    "fits",
    "forward_passes",
    "interpretation_table",
    "load_table",
    "merged",
    "open_cache",
    "probe_fidelities",
    "save_table",
    "table_of_interpretations",
]
