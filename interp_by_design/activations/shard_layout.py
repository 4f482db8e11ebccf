"""How recorded rows lie in shards. Knows nothing of where shards are kept, or of what made the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

ALIGNED = 64  # bytes: a cache line, and all that vector instructions ask for


@final
@dataclass(frozen=True)
class Field:
    """One number or array that every row has; `dtype` is torch's name for it."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def torch_dtype(self) -> torch.dtype:
        dtype: torch.dtype = getattr(torch, self.dtype)
        return dtype

    @property
    def row_bytes(self) -> int:
        return math.prod(self.shape) * self.torch_dtype.itemsize


@final
@dataclass(frozen=True)
class Layout:
    """`n` rows in shards of `rows_per_shard`, the last perhaps smaller. In a shard, fields lie one after another in C order.

    chunk: how many rows are made at once; it divides `rows_per_shard`, so that each shard can be made without the others.
    """

    fields: tuple[Field, ...]
    n: int
    rows_per_shard: int
    chunk: int

    @classmethod
    def of(cls, fields: Sequence[Field], n: int, shard_bytes: int, chunk: int) -> Layout:
        """Shards of about `shard_bytes`, of at least a row each, made `chunk` rows at once or fewer."""
        rows = max(1, shard_bytes // sum(field.row_bytes for field in fields))
        chunk = min(chunk, rows)
        return cls(tuple(fields), n, rows // chunk * chunk, chunk)

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> Layout:
        """From what `described` wrote."""
        fields = tuple(
            Field(field["name"], field["dtype"], tuple(field["shape"])) for field in saved["fields"]
        )
        return cls(fields, saved["rows"], saved["rows_per_shard"], saved["chunk"])

    def described(self) -> dict[str, Any]:
        """For a file: enough to read shards without this program. Offsets are those of a whole shard."""
        offsets = self.offsets(self.rows_per_shard)
        fields = [
            {"name": field.name, "dtype": field.dtype, "shape": list(field.shape), "offset": offset}
            for field, offset in zip(self.fields, offsets, strict=False)
        ]
        return {
            "rows": self.n,
            "rows_per_shard": self.rows_per_shard,
            "chunk": self.chunk,
            "aligned": ALIGNED,
            "fields": fields,
        }

    @property
    def n_shards(self) -> int:
        return -(-self.n // self.rows_per_shard)

    @property
    def total_bytes(self) -> int:
        return sum(self.shard_bytes(number) for number in range(self.n_shards))

    def rows(self, shard: int) -> int:
        """How many rows a shard has."""
        return min(self.rows_per_shard, self.n - shard * self.rows_per_shard)

    def shard_bytes(self, shard: int) -> int:
        """How large a shard is."""
        return self.offsets(self.rows(shard))[-1]

    def offsets(self, rows: int) -> list[int]:
        """Where each field begins in a shard of `rows`, and behind them where the shard ends."""
        offsets = [0]
        for field in self.fields:
            offsets.append(-(-(offsets[-1] + rows * field.row_bytes) // ALIGNED) * ALIGNED)
        return offsets

    def views(self, memory: Tensor, shard: int) -> dict[str, Tensor]:
        """The fields of a shard in its `memory`, bytes, by name: each [rows, ...]."""
        rows = self.rows(shard)
        return {
            field.name: memory[start : start + rows * field.row_bytes]
            .view(field.torch_dtype)
            .view(rows, *field.shape)
            for field, start in zip(self.fields, self.offsets(rows), strict=False)
        }
