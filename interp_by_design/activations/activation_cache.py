"""Activation cache of a frozen predictor, in memory or on disk.

On disk each split has a folder, named by a hash of all that its content depends on: weights,
preprocessing, layers and images. An interrupted recording resumes at the first missing shard.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interp_by_design.activations.cache_folder import CacheFolder
from interp_by_design.activations.cache_key import key, predictor_ingredients, split_ingredients
from interp_by_design.activations.cache_settings import CacheSettings
from interp_by_design.activations.cached_data import CachedData
from interp_by_design.activations.recording import layout, record
from interp_by_design.activations.shard_layout import Layout
from interp_by_design.activations.shard_store import DiskStore, MemoryStore, Store
from interp_by_design.data.datamodule import ImageData
from interp_by_design.data.files import free_memory
from interp_by_design.predictor import Predictor
from interp_by_design.terms import SPLITS, UserError

MAX_MEMORY_SHARE = 0.25  # of free memory: training needs the rest
MAX_DISK_SHARE = 0.9  # of free disk space: a full disk stops other programs too

log = logging.getLogger(__name__)


def cached_activations(
    predictor: Predictor, data: ImageData, settings: CacheSettings, device: Any = "cpu"
) -> CachedData | None:
    """Return the activations of `predictor` over all splits of `data`, cached.

    Activations that are not in the cache yet are recorded now; the log says how much space that
    takes before it begins. The predictor is unchanged.

    Args:
        predictor: The frozen predictor.
        data: The data set, without augmentation.
        settings: Where activations are kept, and in which precision.
        device: The device of the forward passes.

    Returns:
        The data set with activations; None if nothing is cached: `kind` is `off`, or it is `auto`
        and images are augmented or there is too little space.

    Raises:
        UserError: Before anything is computed, if images are augmented or there is too little
            space; if the folder cannot be written, if a value does not fit `settings.dtype`, and if
            a cache is damaged.
    """
    if settings.kind == "off" or not _repeats(data, settings.kind):
        return None
    layouts = {
        name: layout(
            predictor, data.split(name), data.facts.n_classes, settings.dtype, settings.shard_bytes
        )
        for name in SPLITS
    }
    size = sum(form.total_bytes for form in layouts.values())
    contents = _described(predictor, layouts, settings)
    if settings.kind == "ram" or (
        settings.kind == "auto" and size <= MAX_MEMORY_SHARE * free_memory()
    ):
        return _in_memory(predictor, data, layouts, contents, device)
    folders = _folders(predictor, data, layouts, settings.folder)
    missing = sum(_missing(layouts[name], folder) for name, folder in folders.items())
    free = _free_disk(settings.folder)
    if settings.kind == "auto" and missing > MAX_DISK_SHARE * free:
        log.info(
            "%s would take %s. Free are %s of memory and %s in %s: too little, so that the "
            "predictor runs in each epoch",
            *(contents, _gb(size), _gb(free_memory()), _gb(free), settings.folder),
        )
        return None
    _refuse(contents, missing, free, f"in {settings.folder}", "cache.root=… for another disk")
    if missing:
        log.info(
            "%s take %s in %s, of which %s are missing; %s are free",
            contents,
            _gb(size),
            settings.folder,
            _gb(missing),
            _gb(free),
        )
    return _on_disk(predictor, data, layouts, folders, device)


def _described(predictor: Predictor, layouts: Mapping[str, Layout], settings: CacheSettings) -> str:
    n_images = sum(form.n for form in layouts.values())
    layers = predictor.hidden_layers
    return (
        f"The predictor's activations of {n_images:,} images ({', '.join(layers)}: {len(layers)} "
        f"layers of {settings.dtype})"
    )


def _repeats(data: ImageData, kind: str) -> bool:
    """Return whether epochs see the same images; raise if not and a cache is required."""
    if data.augmentation is None:
        return True
    if kind != "auto":
        raise UserError(
            f"cache={kind} keeps the activations of each image, and data.augmentation changes the "
            "images in each epoch. Set data.augmentation=null, or cache=off."
        )
    log.info(
        "Images are augmented, so that the predictor runs in each epoch; "
        "data.augmentation=null lets its activations be cached"
    )
    return False


def _in_memory(
    predictor: Predictor, data: ImageData, layouts: Mapping[str, Layout], contents: str, device: Any
) -> CachedData:
    size, free = sum(form.total_bytes for form in layouts.values()), free_memory()
    _refuse(contents, size, free, "of memory", "cache=disk")
    log.info("%s take %s of memory; %s are free", contents, _gb(size), _gb(free))
    start = time.perf_counter()
    stores = {name: MemoryStore(form) for name, form in layouts.items()}
    for name, store in stores.items():
        record(predictor, data, name, store, device)
    return CachedData(data, stores, time.perf_counter() - start)


def _folders(
    predictor: Predictor, data: ImageData, layouts: Mapping[str, Layout], root: Path
) -> dict[str, CacheFolder]:
    """Return the folder of each split, with the plan of its content."""
    of_predictor, folders = predictor_ingredients(predictor), {}
    for name, form in layouts.items():
        ingredients = of_predictor | split_ingredients(name, data.split(name), form)
        sizes = [form.shard_bytes(shard) for shard in range(form.n_shards)]
        folders[name] = CacheFolder(root / key(ingredients), ingredients | {"sizes": sizes})
    return folders


def _on_disk(
    predictor: Predictor,
    data: ImageData,
    layouts: Mapping[str, Layout],
    folders: Mapping[str, CacheFolder],
    device: Any,
) -> CachedData:
    stores: dict[str, Store] = {}
    seconds = 0.0
    for name, folder in folders.items():
        stores[name] = DiskStore(layouts[name], folder)
        if not folder.is_complete:
            with folder.locked(wait=True):
                folder.reread()  # another process may have recorded it meanwhile
                start = time.perf_counter()
                if not folder.is_complete:
                    folder.begin()
                    record(predictor, data, name, stores[name], device)
                    seconds += time.perf_counter() - start
    start = time.perf_counter()
    for folder in folders.values():
        folder.check()
    size = sum(folder.size for folder in folders.values())
    where = ", ".join(f"{name} {folder.key}" for name, folder in folders.items())
    log.info(
        "Read from the cache (%s): %s, checked in %.1f s",
        where,
        _gb(size),
        time.perf_counter() - start,
    )
    return CachedData(data, stores, seconds)


def _missing(form: Layout, folder: CacheFolder) -> int:
    return form.total_bytes - folder.size


def _refuse(contents: str, needed: int, free: int | float, where: str, remedy: str) -> None:
    if needed > free:
        raise UserError(
            f"{contents} need {_gb(needed)}, and {_gb(free)} are free {where}. Set {remedy}; "
            "cache.dtype=float16, which is the smallest; fewer or deeper predictor.hidden_layers; "
            "or cache=off, which runs the predictor in each epoch."
        )


def _free_disk(folder: Path) -> int:
    there = next(
        (place for place in (folder.absolute(), *folder.absolute().parents) if place.exists()),
        Path("/"),
    )
    return shutil.disk_usage(there).free


def _gb(size: int | float) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e6:.2f} MB"
