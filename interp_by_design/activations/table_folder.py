"""Interpretation table on disk: a folder with one `.npy` file per column, read by memory-mapping.

A folder is written under a temporary name and renamed, so that it is complete or absent. Rows are
appended during a pass, so that a table may be larger than memory. `table.json` holds the format,
the number of rows, and a hash of the head that computed the logits of g.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interp_by_design.files import reporting_damage
from interp_by_design.metrics.table_batches import row_slices
from interp_by_design.terms import InterpretationTable, UserError

FORMAT = 1  # of the folder
ABOUT = "table.json"
HEAD = ("head_weights", "head_bias")  # one per table; every other column has a row per sample
COLUMNS = tuple(field.name for field in fields(InterpretationTable))
ROWS = tuple(name for name in COLUMNS if name not in HEAD)
REMEDY = "Delete this folder; its table is computed again from the data."

Append = Callable[[Mapping[str, Tensor]], None]


def save_table(table: InterpretationTable, folder: Path) -> None:
    """Write `table` to `folder`, replacing what was there.

    Args:
        table: A table with at least one row.
        folder: The folder of the table.

    Raises:
        UserError: For an empty table, and if the folder cannot be written; it is then unchanged.
    """
    if not len(table):
        raise UserError(
            "The interpretation table is empty: there is nothing to store. Check the split that "
            "it was made from."
        )
    with writing_table(folder, head_of(table)) as append:
        for rows in row_slices(len(table)):
            append({name: getattr(table, name)[rows] for name in ROWS})


def load_table(folder: Path) -> InterpretationTable:
    """Open the table in `folder`, memory-mapped.

    A column is read from disk where it is accessed. Changes stay in memory.

    Args:
        folder: The folder of a table.

    Raises:
        UserError: If the folder holds no table, a damaged one, or one of another format.
    """
    about = _about(folder)
    if about["format"] != FORMAT:
        raise UserError(
            f"{folder} holds a table of format {about['format']}; this version reads format "
            f"{FORMAT}. {REMEDY}"
        )
    columns = {name: _mapped(folder / f"{name}.npy") for name in COLUMNS}
    if about["head"] != head_hash(columns):
        raise UserError(
            f"{folder} is damaged: its head is not the one that {ABOUT} names. {REMEDY}"
        )
    _check_shapes(folder, columns, about["rows"])
    return InterpretationTable(**columns)


def stored_head(folder: Path) -> str | None:
    """Return the hash of the head that computed the table in `folder`.

    Args:
        folder: The folder of a table.

    Returns:
        The hash; None if there is no complete table that this version reads.
    """
    try:
        about = _about(folder)
    except UserError:
        return None
    return str(about["head"]) if about["format"] == FORMAT else None


def head_of(table: InterpretationTable) -> dict[str, Tensor]:
    """Return the weights and the bias of h, by column name.

    Args:
        table: An interpretation table.
    """
    return {name: getattr(table, name) for name in HEAD}


def head_hash(head: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of a head's weights and bias, as hexadecimal digits.

    Args:
        head: Its weights and bias, by column name.
    """
    digest = hashlib.sha256()
    for name in HEAD:
        array = _array(head[name])
        digest.update(repr((array.shape, array.dtype.str)).encode() + array.tobytes())
    return digest.hexdigest()


@contextmanager
def writing_table(folder: Path, head: Mapping[str, Tensor]) -> Iterator[Append]:
    """Write a table row by row: the block receives a function that appends rows.

    The rows become the table in `folder` at the end of the block. If the block fails, the folder is
    unchanged.

    Args:
        folder: The folder of the table.
        head: The weights and the bias of h, by column name.

    Yields:
        A function that takes rows as columns by name.

    Raises:
        UserError: If the folder cannot be written; it is then unchanged.
    """
    temporary = folder.with_name(f".{folder.name}.writing")
    try:
        with ExitStack() as files:
            with _reporting_errors(folder):
                columns = _begun(temporary, head, files)

            def append(rows: Mapping[str, Tensor]) -> None:
                with _reporting_errors(folder):
                    for name in ROWS:
                        columns[name].append(rows[name])

            yield append
            with _reporting_errors(folder):
                for column in columns.values():
                    column.finish()
        with _reporting_errors(folder):
            about = {"format": FORMAT, "rows": columns["indices"].rows, "head": head_hash(head)}
            (temporary / ABOUT).write_text(json.dumps(about) + "\n")
            _take_place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@final
class _Column:
    """A `.npy` file that grows: NumPy pads its header enough for any number of rows."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.rows = file, 0
        self._shape: tuple[int, ...] = ()
        self._dtype: np.dtype[Any] = np.dtype("float32")

    def append(self, values: Tensor) -> None:
        array = _array(values)
        if not self.rows:
            self._shape, self._dtype = array.shape[1:], array.dtype
            self.file.seek(0)
            self._write_header()
        if array.size:
            self.file.write(array.data)
        self.rows += len(array)

    def finish(self) -> None:
        self.file.seek(0)
        self._write_header()
        self.file.flush()
        os.fsync(self.file.fileno())

    def close(self) -> None:
        # Closing retries what a full disk did not take; a complete column is already flushed.
        with suppress(OSError):
            self.file.close()

    def _write_header(self) -> None:
        described = np.lib.format.dtype_to_descr(self._dtype)
        header = {"descr": described, "fortran_order": False, "shape": (self.rows, *self._shape)}
        write_header = np.lib.format.write_array_header_1_0
        write_header(self.file, header)  # type: ignore[no-untyped-call,unused-ignore]


def _begun(temporary: Path, head: Mapping[str, Tensor], files: ExitStack) -> dict[str, _Column]:
    """Make a new folder that holds the head, and open every other column."""
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for name in HEAD:
        np.save(temporary / f"{name}.npy", _array(head[name]))
    columns = {}
    for name in ROWS:
        columns[name] = _Column((temporary / f"{name}.npy").open("wb"))
        files.callback(columns[name].close)
    return columns


@contextmanager
def _reporting_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{folder} could not be written: {error.strerror or error}. Its previous content is "
            "unchanged."
        ) from error


def _take_place(temporary: Path, folder: Path) -> None:
    """Rename `temporary` to `folder`; on failure, restore the table that was there."""
    before = folder.with_name(f".{folder.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if folder.exists():
        folder.rename(before)
    try:
        temporary.rename(folder)
    except OSError:
        with suppress(OSError):
            before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _about(folder: Path) -> dict[str, Any]:
    """Read `table.json`."""
    file = folder / ABOUT
    if not file.is_file():
        raise UserError(
            f"{folder} holds no complete interpretation table: there is no {ABOUT}. {REMEDY}"
        )
    with reporting_damage(file, f"is damaged, so that the table cannot be read. {REMEDY}"):
        about = json.loads(file.read_text())
        return {"format": about["format"], "rows": int(about["rows"]), "head": about.get("head")}


def _check_shapes(folder: Path, columns: Mapping[str, Tensor], n: int) -> None:
    n_classes, n_attributes = columns["head_weights"].shape
    wanted: dict[str, tuple[int, ...]] = dict.fromkeys(ROWS, (n,))
    wanted |= {
        "predictor": (n, n_classes),
        "interpreter": (n, n_classes),
        "attributes": (n, n_attributes),
    }
    for name, shape in wanted.items():
        if (found := tuple(columns[name].shape)) != shape:
            raise UserError(
                f"{folder} is damaged: {name} is {found} numbers and should be {shape}. {REMEDY}"
            )


def _mapped(file: Path) -> Tensor:
    if not file.is_file():
        raise UserError(f"{file} is missing. {REMEDY}")
    with reporting_damage(file, f"is damaged. {REMEDY}"):
        # Mode "c" is copy-on-write: torch warns of arrays that it cannot write to.
        return torch.from_numpy(np.load(file, mmap_mode="c", allow_pickle=False))


def _array(values: Tensor) -> NDArray[Any]:
    values = values.detach().cpu()
    return np.ascontiguousarray(
        (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    )
