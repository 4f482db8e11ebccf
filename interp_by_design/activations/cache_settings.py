"""Settings of the activation cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from interp_by_design.activations.cache_folder import default_root
from interp_by_design.terms import UnknownName, check_whole

KINDS = ("off", "ram", "disk", "auto")
DTYPES = ("float16", "bfloat16", "float32")


@final
@dataclass(frozen=True)
class CacheSettings:
    """Whether the passes of a frozen predictor are cached, where, and in which precision.

    Args:
        kind: `ram` or `disk`; `off` runs the network in each epoch; `auto` chooses by free space.
        root: The folder of caches on disk; None for `default_root()`.
        dtype: The dtype of cached hidden layers: float16, bfloat16 or float32. Logits are always
            float32.
        shard_bytes: The approximate size of one file, at least 1. Training mixes the rows of a few
            shards at a time.

    Raises:
        UserError: For an unknown kind or dtype, or a size below 1.

    >>> CacheSettings("ram").dtype
    'float16'
    """

    kind: str = "auto"
    root: str | Path | None = None
    dtype: str = "float16"
    shard_bytes: int = 2**26

    def __post_init__(self) -> None:
        for name, known in (("kind", KINDS), ("dtype", DTYPES)):
            if getattr(self, name) not in known:
                raise UnknownName.among(f"cache.{name}", str(getattr(self, name)), known)
        check_whole("cache.shard_bytes", self.shard_bytes, minimum=1)

    @property
    def folder(self) -> Path:
        """The folder of caches on disk."""
        return default_root() if self.root is None else Path(self.root).expanduser()
