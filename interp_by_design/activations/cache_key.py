"""Key of an activation cache: a hash of all that its content depends on."""

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

N_KEY_DIGITS = 16  # hexadecimal digits of a key that name its folder


def predictor_ingredients(predictor: Predictor) -> dict[str, Any]:
    """Return what the activations depend on in the predictor.

    Args:
        predictor: The predictor. Its weights, buffers, structure, layers and preprocessing
            count.
    """
    network = predictor.network
    return {
        "network": f"{type(network).__module__}.{type(network).__qualname__}",
        # Without memory addresses, which some modules print and which differ each time.
        "structure": hashlib.sha256(
            re.sub(r" at 0x[0-9a-f]+", "", repr(network)).encode()
        ).hexdigest(),
        "weights": weights_hash(network),
        "weights_dtype": sorted({str(value.dtype) for value in network.state_dict().values()}),
        "layers": list(predictor.hidden_layers),
        "preprocessing": repr(predictor.preprocessing),
    }


def split_ingredients(name: str, split: Split, layout: Layout) -> dict[str, Any]:
    """Return what the activations depend on in the data.

    Args:
        name: The name of the split.
        split: Its images.
        layout: The layout of the cached rows.
    """
    return {
        "split": name,
        "data": fingerprint(split),
        "image_shape": list(split.image_shape),
        **layout.described(),
    }


def fingerprint(split: Split) -> str:
    """Return the fingerprint of a split.

    For files it includes when each was last changed, as the split itself reads only their names and
    sizes.

    Args:
        split: The split.
    """
    if not isinstance(split, FileSplit):
        return split.fingerprint()
    digest = hashlib.sha256(split.fingerprint().encode())
    for name in split.names:
        digest.update(f"{(split.root / name).stat().st_mtime_ns},".encode())
    return digest.hexdigest()


def key(ingredients: Mapping[str, Any]) -> str:
    """Return the key of a cache: the first digits of a SHA-256.

    Args:
        ingredients: All that the content depends on, as plain values.

    >>> len(key({"weights": "a"})), key({"weights": "a"}) == key({"weights": "b"})
    (16, False)
    """
    text = json.dumps({"version": VERSION, **ingredients}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:N_KEY_DIGITS]
