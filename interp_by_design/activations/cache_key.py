"""Key of a cache: a hash of all that its content depends on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from interp_by_design.activations.cache_folder import VERSION
from interp_by_design.activations.shard_layout import Layout
from interp_by_design.data.files import FileSplit
from interp_by_design.data.split import Split
from interp_by_design.predictor import Predictor, weights_hash

SHOWN = 16  # digits of a key that name its folder


def predictor_ingredients(predictor: Predictor) -> dict[str, Any]:
    """Describe a predictor: weights, structure, layers and preprocessing.

    Args:
        predictor: f.
    """
    network = predictor.network
    return {
        "network": f"{type(network).__module__}.{type(network).__qualname__}",
        # Without addresses in memory, which some options print, and which differ each time.
        "structure": hashlib.sha256(
            re.sub(r" at 0x[0-9a-f]+", "", repr(network)).encode()
        ).hexdigest(),
        "weights": weights_hash(network),
        "weights_dtype": sorted({str(value.dtype) for value in network.state_dict().values()}),
        "layers": list(predictor.hidden_layers),
        "preprocessing": repr(predictor.preprocessing),
    }


def split_ingredients(name: str, split: Split, layout: Layout) -> dict[str, Any]:
    """Describe a split: its name, its content, and the layout of its rows.

    Args:
        name: Of the split.
        split: The images.
        layout: Of the rows.
    """
    return {
        "split": name,
        "data": fingerprint(split),
        "image_shape": list(split.image_shape),
        **layout.described(),
    }


def fingerprint(split: Split) -> str:
    """Return a split's fingerprint; for files it includes their modification times.

    Args:
        split: The images.
    """
    if not isinstance(split, FileSplit):
        return split.fingerprint()
    digest = hashlib.sha256(split.fingerprint().encode())
    for name in split.names:
        digest.update(f"{(split.root / name).stat().st_mtime_ns},".encode())
    return digest.hexdigest()


def key(ingredients: Mapping[str, Any]) -> str:
    """Compute the key: the first digits of a SHA-256 of the ingredients and the cache version.

    Args:
        ingredients: Plain values by name.
    """
    text = json.dumps({"version": VERSION, **ingredients}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:SHOWN]
