"""Layout of recorded rows in shards."""

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
    """One number or array of each row.

    Args:
        name: Its name.
        dtype: torch's name of its type.
        shape: Of one row.
    """

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
    """`n` rows in shards, the last perhaps smaller; in a shard, fields follow each other in C order.

    Args:
        fields: The fields of a row.
        n: Number of rows.
        rows_per_shard: Rows of a full shard.
        chunk: Rows of one pass; it divides `rows_per_shard`, so that shards are independent.
    """

    fields: tuple[Field, ...]
    n: int
    rows_per_shard: int
    chunk: int

    @classmethod
    def of(cls, fields: Sequence[Field], n: int, shard_bytes: int, chunk: int) -> Layout:
        """Make shards of about `shard_bytes`, of at least one row each.

        Args:
            fields: The fields of a row.
            n: Number of rows.
            shard_bytes: Approximate size of a shard.
            chunk: Rows of one pass at most.
        """
        rows = max(1, shard_bytes // sum(field.row_bytes for field in fields))
        chunk = min(chunk, rows)
        return cls(tuple(fields), n, rows // chunk * chunk, chunk)

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> Layout:
        """Read what `described` wrote.

        Args:
            saved: The description.
        """
        fields = tuple(
            Field(field["name"], field["dtype"], tuple(field["shape"])) for field in saved["fields"]
        )
        return cls(fields, saved["rows"], saved["rows_per_shard"], saved["chunk"])

    def described(self) -> dict[str, Any]:
        """Describe it in plain values: enough to read shards without this program."""
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
        """Return the number of rows of a shard.

        Args:
            shard: Its number.
        """
        return min(self.rows_per_shard, self.n - shard * self.rows_per_shard)

    def shard_bytes(self, shard: int) -> int:
        """Return the size of a shard.

        Args:
            shard: Its number.
        """
        return self.offsets(self.rows(shard))[-1]

    def offsets(self, rows: int) -> list[int]:
        """Return where each field begins in a shard, and where the shard ends.

        Args:
            rows: Of the shard.
        """
        offsets = [0]
        for field in self.fields:
            offsets.append(-(-(offsets[-1] + rows * field.row_bytes) // ALIGNED) * ALIGNED)
        return offsets

    def views(self, memory: Tensor, shard: int) -> dict[str, Tensor]:
        """Return the fields of a shard by name, each [rows, ...].

        Args:
            memory: Its bytes.
            shard: Its number.
        """
        rows = self.rows(shard)
        return {
            field.name: memory[start : start + rows * field.row_bytes]
            .view(field.torch_dtype)
            .view(rows, *field.shape)
            for field, start in zip(self.fields, self.offsets(rows), strict=False)
        }
