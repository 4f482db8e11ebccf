"""Folder of an activation cache: shards, and `cache.json`, which describes and lists them."""

from __future__ import annotations

import json
import logging
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

from filelock import FileLock, Timeout

from interp_by_design.files import replacing, write_text
from interp_by_design.terms import UserError

VERSION = 1  # of the content of a cache folder; another version is never read
CONTENTS = "cache.json"
LOCK = ".writing"
BLOCK_BYTES = 2**20  # of one read when shards are verified
MAX_THREADS = 8  # that verify shards
REMEDIES = (
    "Choose another folder, cache.root=… or the environment variable INTERP_CACHE; or set "
    "cache=ram, or cache=off."
)

log = logging.getLogger(__name__)


def default_root() -> Path:
    """Return the default folder of activation caches.

    It is `$INTERP_CACHE/activations`, else `$XDG_CACHE_HOME/interp_by_design/activations`, else
    `~/.cache/interp_by_design/activations`.
    """
    given, shared = os.environ.get("INTERP_CACHE"), os.environ.get("XDG_CACHE_HOME")
    home = (
        Path(given)
        if given
        else (Path(shared) if shared else Path.home() / ".cache") / "interp_by_design"
    )
    return home.expanduser() / "activations"


def checksum(data: bytes | memoryview, before: int = 0) -> int:
    """Compute the CRC-32 of `data`.

    It detects damage by disks and copies, at 4 GB/s on one core, where SHA-256 reaches 1.7 and
    BLAKE2b 0.8.

    Args:
        data: The bytes.
        before: The checksum of the bytes before them; 0 at the start.

    >>> checksum(b"interp") == checksum(b"erp", checksum(b"int"))
    True
    """
    return zlib.crc32(data, before)


@final
class CacheFolder:
    """Folder of the cached activations of one split. A shard is complete or absent.

    Args:
        path: The folder; its name is the key.
        plan: The planned content: the ingredients of the key, and under `sizes` the bytes of each
            shard. None for a folder that is only read.
    """

    def __init__(self, path: Path, plan: Mapping[str, Any] | None = None) -> None:
        self.path, self.plan = path, plan or {}
        self.contents: dict[str, Any] = {}
        self.reread()

    def reread(self) -> None:
        """Read `cache.json` again; `contents` is empty if it is absent, damaged or too new."""
        try:
            contents = json.loads((self.path / CONTENTS).read_text())
            usable = contents["version"] == VERSION and len(contents["checksums"]) <= len(
                contents["sizes"]
            )
            self.contents = contents if usable else {}
        except (OSError, ValueError, TypeError, KeyError):
            self.contents = {}

    @property
    def key(self) -> str:
        return self.path.name

    @property
    def checksums(self) -> list[str]:
        """The checksums of the complete shards, from the first."""
        checksums: list[str] = self.contents.get("checksums", [])
        return checksums

    @property
    def n_shards(self) -> int:
        """The number of shards of the complete cache."""
        return len(self.contents["sizes"]) if self.contents else 0

    @property
    def is_complete(self) -> bool:
        return bool(self.contents) and len(self.checksums) == self.n_shards

    @property
    def size(self) -> int:
        """The bytes of the complete shards."""
        return sum(self.contents.get("sizes", [])[: len(self.checksums)])

    def shard(self, number: int) -> Path:
        """Return the file of a shard.

        Args:
            number: The number of the shard, from 0.
        """
        return self.path / f"{number:05}.shard"

    def begin(self) -> None:
        """Write the plan, unless it is written already.

        Raises:
            UserError: If the folder cannot be written, or holds other activations.
        """
        if self.contents:
            self._require_plan()
        else:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._write(
                {
                    "version": VERSION,
                    "created": now,
                    **self.plan,
                    "checksum": "crc32",
                    "checksums": [],
                }
            )

    def add(self, number: int, data: memoryview) -> None:
        """Write the next shard.

        Args:
            number: Its number, from 0.
            data: Its bytes.

        Raises:
            UserError: If it cannot be written.
        """
        with adding_remedies():
            with replacing(self.shard(number)) as file:
                file.write(data)
            self._write({**self.contents, "checksums": [*self.checksums, f"{checksum(data):08x}"]})

    @contextmanager
    def locked(self, wait: bool) -> Iterator[None]:
        """Keep other processes from writing here for the block.

        Args:
            wait: Whether to wait for a process that is writing.

        Raises:
            UserError: If another process is writing and `wait` is False, or if the folder cannot be
                written.
        """
        lock = FileLock(self.path / LOCK, timeout=0)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout:
                if not wait:
                    raise UserError(
                        f"{self.key} is being written by another process. Wait for it, or stop it."
                    ) from None
                log.info(
                    "Another process records the same activations in %s; waiting for it", self.path
                )
                lock.acquire(timeout=-1)
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be written: {error.strerror or error}. {REMEDIES}"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def bad(self) -> list[str]:
        """Verify the complete shards, in several threads, and return what is wrong."""
        with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
            return [fault for fault in pool.map(self._fault, range(len(self.checksums))) if fault]

    def check(self) -> None:
        """Verify all shards and the plan.

        Raises:
            UserError: If shards are damaged, with their names, or if the folder holds other
                activations than planned.
        """
        self._require_plan()
        if bad := self.bad():
            root = self.path.parent
            option = "" if root == default_root() else f" --root {root}"
            raise UserError(
                f"{self.path} is damaged: {', '.join(bad)}. Nothing was read from it. "
                f"`interp cache rm {self.key}{option}` removes it, and the next run records it "
                "again."
            )

    def _require_plan(self) -> None:
        """Refuse a folder of other activations, such as a copy under a new name."""
        wanted = json.loads(json.dumps(dict(self.plan)))
        if strange := [name for name, value in wanted.items() if self.contents.get(name) != value]:
            raise UserError(
                f"{self.path} holds other activations than its name says: {', '.join(strange)} "
                f"differ. Remove it: `interp cache rm {self.key}`; the next run records it again."
            )

    def remove(self) -> int:
        """Delete the cache.

        Returns:
            The number of bytes freed.

        Raises:
            UserError: If another process is writing it.
        """
        with self.locked(wait=False):
            freed = sum(file.stat().st_size for file in self.path.iterdir())
            shutil.rmtree(self.path)
        return freed

    def _fault(self, number: int) -> str | None:
        file, wanted, found = self.shard(number), self.contents["sizes"][number], 0
        try:
            if (size := file.stat().st_size) != wanted:
                return f"{file.name} has {size:,} bytes, not {wanted:,}"
            with file.open("rb", buffering=0) as opened:
                block = memoryview(bytearray(BLOCK_BYTES))
                while read := opened.readinto(block):
                    found = checksum(block[:read], found)
        except FileNotFoundError:
            return f"{file.name} is missing"
        except OSError as error:
            return f"{file.name} cannot be read ({error.strerror})"
        return (
            None
            if f"{found:08x}" == self.checksums[number]
            else f"{file.name} is damaged: its checksum differs"
        )

    def _write(self, contents: dict[str, Any]) -> None:
        with adding_remedies():
            write_text(self.path / CONTENTS, json.dumps(contents, indent=1) + "\n")
        self.contents = contents


@contextmanager
def adding_remedies() -> Iterator[None]:
    """Add the remedies to the error of a file that cannot be written."""
    try:
        yield
    except UserError as error:
        if REMEDIES in str(error):
            raise
        raise UserError(
            f"{error} What is recorded is kept; the next run resumes from it. {REMEDIES}"
        ) from error


def caches(root: Path) -> list[CacheFolder]:
    """List the caches in a folder, by key.

    Args:
        root: The folder of caches; it need not exist.
    """
    found = (
        [CacheFolder(path) for path in sorted(root.iterdir()) if path.is_dir()]
        if root.is_dir()
        else []
    )
    return [
        folder
        for folder in found
        if (folder.path / CONTENTS).exists() or (folder.path / LOCK).exists()
    ]
