"""Atomic file writes, and errors that name a damaged file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from interp_by_design.terms import UserError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that replaces `path` when the block ends without an error.

    The file is written next to `path`, synced, and renamed; until then `path` is unchanged.

    Args:
        path: The file; its folder is made if needed.

    Raises:
        UserError: If the system cannot write it: a full disk, no permission.
    """
    temporary = path.with_name(f".{path.name}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UserError(
            f"{path} could not be written: {error.strerror or error}. "
            "What was there before is untouched."
        ) from error
    finally:
        with suppress(OSError):  # what kept it from being written may keep it from being found
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write `text` as the whole content of a file, atomically.

    Args:
        path: The file.
        text: Its content, written as UTF-8.

    Raises:
        UserError: If the system cannot write it; the file is then unchanged.
    """
    with replacing(path) as file:
        file.write(text.encode())


@contextmanager
def reporting_damage(file: Path, message: str = "") -> Iterator[None]:
    """Turn any error of the block into a `UserError` that names the file.

    Args:
        file: The file that the block reads and parses.
        message: What a damaged file means; follows its name in the error.

    Raises:
        UserError: If the block raises.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # a damaged file makes its reader fail in any way
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        details = f"{kind}{' '.join(str(error).split())}"
        default = f"is damaged ({details}). Take it from a backup, or make it again."
        raise UserError(f"{file} {message or default}") from error
