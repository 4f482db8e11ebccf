"""Interpretation tables on disk: a folder with a `.npy` file a column, read by memory-mapping. Knows nothing of models.

A folder is written beside and renamed, so that it is whole or not there; rows are appended while a pass runs, so that a table may
be larger than memory.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, BinaryIO, final

import numpy as np
import torch
from torch import Tensor

from interp_by_design.files import reading
from interp_by_design.terms import InterpretationTable, UserError

FORMAT = 1
ABOUT = "table.json"
HEAD = ("head_weights", "head_bias")  # one for the table; every other column has a row for each sample
COLUMNS = tuple(field.name for field in fields(InterpretationTable))
ROWS = tuple(name for name in COLUMNS if name not in HEAD)
AT_ONCE = 4096  # rows


def save_table(table: InterpretationTable, folder: Path) -> None:
    """`table` as `folder`, in place of what was there. Raises `UserError` where the system cannot write it; the old one stays."""
    head = {name: getattr(table, name) for name in HEAD}
    with writing_table(folder, head) as append:
        for start in range(0, len(table), AT_ONCE):
            append({name: getattr(table, name)[start : start + AT_ONCE] for name in ROWS})


def load_table(folder: Path) -> InterpretationTable:
    """The table in `folder`, memory-mapped: a column is read where it is looked at. What is changed in it stays in memory.

    Raises `UserError` for a folder that holds no table, a damaged one, or one of another format.
    """
    with reading(
        folder / ABOUT, "is not there or damaged: this folder holds no whole table. Delete it; it is made anew from the data."
    ):
        about = json.loads((folder / ABOUT).read_text())
        found, rows = about["format"], int(about["rows"])
    if found != FORMAT:
        raise UserError(
            f"{folder} holds a table of format {found}; this version reads format {FORMAT}. Delete it to have it made anew."
        )
    columns = {name: _mapped(folder / f"{name}.npy") for name in COLUMNS}
    if wrong := [name for name in ROWS if len(columns[name]) != rows]:
        raise UserError(
            f"{folder} is damaged: {', '.join(wrong)} should have {rows} rows. Delete it; it is made anew from the data."
        )
    return InterpretationTable(**columns)


def merged(tables: Iterable[InterpretationTable]) -> InterpretationTable:
    """Tables of shards, or of processes, as one, sorted by image index; an image that is in several counts once.

    Raises `UserError` where there is none, and for tables of different heads: they are not of one model.
    """
    parts = list(tables)
    if not parts:
        raise UserError("There is no table to merge.")
    first = parts[0]
    for other in parts[1:]:
        if not all(_same(getattr(first, name), getattr(other, name)) for name in HEAD):
            raise UserError("These tables cannot be merged: the weights of h differ, so they are not of one model.")
    columns = {name: torch.cat([getattr(part, name) for part in parts]) for name in ROWS}
    indices, order = columns["indices"].sort(stable=True)
    first_of = torch.ones_like(indices, dtype=torch.bool)
    first_of[1:] = indices[1:] != indices[:-1]
    kept = order[first_of]
    return replace(first, **{name: column[kept] for name, column in columns.items()})


@contextmanager
def writing_table(folder: Path, head: Mapping[str, Tensor]) -> Iterator[Callable[[Mapping[str, Tensor]], None]]:
    """For the block, a function that appends rows, given as columns by name; at its end they are the table in `folder`.

    Raises `UserError` where the system cannot write; whatever was there stays then, and where the block fails.
    """
    beside, before = (folder.with_name(f".{folder.name}.{what}") for what in ("writing", "before"))
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for name, values in head.items():
            np.save(beside / f"{name}.npy", values.detach().cpu().numpy())
        with ExitStack() as files:
            columns = {name: files.enter_context(_Column.opened(beside / f"{name}.npy")) for name in ROWS}

            def append(rows: Mapping[str, Tensor]) -> None:
                for name in ROWS:
                    columns[name].append(rows[name])

            yield append
            for column in columns.values():
                column.finish()
            about = {"format": FORMAT, "rows": columns["indices"].rows}
        (beside / ABOUT).write_text(json.dumps(about) + "\n")
        _take_place(beside, folder, before)
    except OSError as error:
        told = f"{folder} could not be written: {error.strerror or error}. What was there before is untouched."
        raise UserError(told) from error
    finally:
        for left in (beside, before):
            shutil.rmtree(left, ignore_errors=True)


@final
class _Column:
    """A `.npy` file that grows: NumPy leaves room in its header for the number of rows."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.rows = file, 0
        self._shape: tuple[int, ...] = ()
        self._dtype: np.dtype[Any] = np.dtype("float32")

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[_Column]:
        with path.open("wb") as file:
            yield cls(file)

    def append(self, values: Tensor) -> None:
        array = np.ascontiguousarray(values.detach().cpu().numpy())
        if not self.rows:
            self._shape, self._dtype = array.shape[1:], array.dtype
            self._write_header()
        self.file.write(array.data if array.size else b"")
        self.rows += len(array)

    def finish(self) -> None:
        self.file.seek(0)
        self._write_header()
        self.file.flush()
        os.fsync(self.file.fileno())

    def _write_header(self) -> None:
        described = np.lib.format.dtype_to_descr(self._dtype)
        header = {"descr": described, "fortran_order": False, "shape": (self.rows, *self._shape)}
        np.lib.format.write_array_header_1_0(self.file, header)  # type: ignore[no-untyped-call,unused-ignore]


def _take_place(beside: Path, folder: Path, before: Path) -> None:
    if folder.exists():
        shutil.rmtree(before, ignore_errors=True)
        folder.rename(before)
    try:
        beside.rename(folder)
    except OSError:
        with suppress(OSError):
            before.rename(folder)
        raise


def _mapped(file: Path) -> Tensor:
    with reading(file):
        array = np.load(file, mmap_mode="c", allow_pickle=False)  # "c": torch warns of arrays that it could not write to
        return torch.from_numpy(array)


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(torch.equal(one, other))


def concatenated(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Rows that were gathered batch by batch, as columns on the CPU."""
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}
