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
    """Where and in which precision passes are kept.

    Args:
        kind: `ram` or `disk`; `off` runs the network each epoch, `auto` chooses by the free space.
        root: Folder of the caches on disk; None for `default_root()`.
        dtype: Of hidden layers: float16, bfloat16 or float32. Logits are float32.
        shard_bytes: Approximate size of a file; training mixes the rows of a few at a time.

    Raises:
        UserError: If a value is invalid.
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
        """The folder of the caches on disk."""
        return default_root() if self.root is None else Path(self.root).expanduser()
