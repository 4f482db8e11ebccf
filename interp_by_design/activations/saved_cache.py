"""Reader of an activation cache on disk that is opened by its folder."""

from __future__ import annotations

from pathlib import Path

from interp_by_design.activations.cache_folder import CONTENTS, CacheFolder
from interp_by_design.activations.cached_loader import CachedLoader
from interp_by_design.activations.shard_layout import Layout
from interp_by_design.activations.shard_store import DiskStore
from interp_by_design.data.order import InOrder
from interp_by_design.files import reporting_damage
from interp_by_design.terms import UserError, check_whole


def open_cache(folder: str | Path, batch_size: int = 256) -> CachedLoader:
    """Open the cached activations of one split, of any model and any data.

    A fit finds its cache by key, so that it never reads stale activations. This function reads a
    cache that the caller names: the folder says which network, layers and split it holds.

    Args:
        folder: The folder of one split, as `interp cache ls` lists it: a root and a key.
        batch_size: Rows per batch, at least 1.

    Returns:
        A loader of `BatchWithActivations`, in the order in which the rows are stored. Every shard
        has been compared with its checksum.

    Raises:
        UserError: The folder holds no cache, its recording was stopped, or a shard is damaged.
    """
    check_whole("batch_size", batch_size, minimum=1)
    cache = CacheFolder(Path(folder))
    if not cache.is_complete:
        state = "is incomplete: its recording was stopped" if cache.contents else "is no cache"
        raise UserError(
            f"{cache.path} {state}. Wanted: the folder of a complete cache, as `interp cache ls` "
            "lists it."
        )
    if bad := cache.bad():
        raise UserError(f"{cache.path} is damaged: {', '.join(bad)}. Nothing was read from it.")
    layout = _layout(cache)
    return CachedLoader(DiskStore(layout, cache), InOrder(layout.n, batch_size, sharded=False))


def _layout(cache: CacheFolder) -> Layout:
    """Rebuild the layout of a cache; refuse one that its shards do not have."""
    with reporting_damage(cache.path / CONTENTS):
        layout = Layout.read(cache.contents)
        if layout.n < 1 or layout.rows_per_shard < 1:
            raise UserError("it has no rows")
        if layout.described()["fields"] != cache.contents["fields"]:
            raise UserError("the offsets of its fields do not match their shapes")
        if cache.contents["sizes"] != [layout.shard_bytes(i) for i in range(layout.n_shards)]:
            raise UserError("the sizes of its shards do not match its fields and rows")
    return layout
