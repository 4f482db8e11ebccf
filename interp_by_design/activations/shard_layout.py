"""Layout of cached rows in shards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

ALIGNMENT = 64  # bytes: a cache line, and enough for vector instructions


@final
@dataclass(frozen=True)
class Field:
    """A number or an array that every row has.

    Args:
        name: The name of the field.
        dtype: Its dtype, as torch names it.
        shape: The shape of one row.
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
    """Layout of rows in shards. In a shard, fields follow one another in C order.

    Args:
        fields: The fields of a row.
        n: The number of rows.
        rows_per_shard: The rows of a shard; the last may have fewer.
        chunk: The rows that are recorded at a time. It divides `rows_per_shard`, so that each shard
            can be recorded without the others.
    """

    fields: tuple[Field, ...]
    n: int
    rows_per_shard: int
    chunk: int

    @classmethod
    def of(cls, fields: Sequence[Field], n: int, shard_bytes: int, chunk: int) -> Layout:
        """Build the layout of shards of a given size.

        Args:
            fields: The fields of a row.
            n: The number of rows.
            shard_bytes: The approximate size of a shard; it has at least one row.
            chunk: The most rows that are recorded at a time.
        """
        rows = max(1, shard_bytes // sum(field.row_bytes for field in fields))
        chunk = min(chunk, rows)
        return cls(tuple(fields), n, rows // chunk * chunk, chunk)

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> Layout:
        """Rebuild a layout.

        Args:
            saved: What `described` returned.
        """
        fields = tuple(
            Field(field["name"], field["dtype"], tuple(field["shape"])) for field in saved["fields"]
        )
        return cls(fields, saved["rows"], saved["rows_per_shard"], saved["chunk"])

    def described(self) -> dict[str, Any]:
        """Describe the layout in plain values, so that other programs can read the shards."""
        offsets = self.offsets(self.rows_per_shard)
        fields = [
            {"name": field.name, "dtype": field.dtype, "shape": list(field.shape), "offset": offset}
            for field, offset in zip(self.fields, offsets, strict=False)
        ]
        return {
            "rows": self.n,
            "rows_per_shard": self.rows_per_shard,
            "chunk": self.chunk,
            "aligned": ALIGNMENT,
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
            shard: The number of the shard, from 0.
        """
        return min(self.rows_per_shard, self.n - shard * self.rows_per_shard)

    def shard_bytes(self, shard: int) -> int:
        """Return the size of a shard in bytes.

        Args:
            shard: The number of the shard, from 0.
        """
        return self.offsets(self.rows(shard))[-1]

    def offsets(self, rows: int) -> list[int]:
        """Return where each field begins in a shard, and where the shard ends, in bytes.

        Args:
            rows: The number of rows of the shard.
        """
        offsets = [0]
        for field in self.fields:
            offsets.append(-(-(offsets[-1] + rows * field.row_bytes) // ALIGNMENT) * ALIGNMENT)
        return offsets

    def views(self, memory: Tensor, shard: int) -> dict[str, Tensor]:
        """Return the fields of a shard as views of its memory.

        Args:
            memory: The bytes of the shard, uint8.
            shard: The number of the shard, from 0.

        Returns:
            Tensors [rows, ...] by name.
        """
        rows = self.rows(shard)
        return {
            field.name: memory[start : start + rows * field.row_bytes]
            .view(field.torch_dtype)
            .view(rows, *field.shape)
            for field, start in zip(self.fields, self.offsets(rows), strict=False)
        }
