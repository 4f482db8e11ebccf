"""Files that are there whole or not at all: written beside, synced, renamed; and what is said of one that cannot be read.

Knows nothing of what is in them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from interp_by_design.terms import UserError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` when the block ends well; whatever was there stays until then.

    Raises `UserError` where the system cannot write it (a full disk, no rights), with what the system says.
    """
    beside = path.with_name(f".{path.name}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise UserError(
            f"{path} could not be written: {error.strerror or error}. What was there before is untouched."
        ) from error
    finally:
        with suppress(OSError):  # whatever kept it from being written may keep it from being found
            beside.unlink()


def write_text(path: Path, text: str) -> None:
    """`path` with `text` as its whole content."""
    with replacing(path) as file:
        file.write(text.encode())


@contextmanager
def reading(file: Path, damage: str = "") -> Iterator[None]:
    """Whatever goes wrong while `file` is read and made sense of is a `UserError` that names it; `damage` tells what it means."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # a damaged file makes its reader fail in any way
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        told = f"is damaged ({kind}{' '.join(str(error).split())}). Take it from a backup, or make it again."
        raise UserError(f"{file} {damage or told}") from error
