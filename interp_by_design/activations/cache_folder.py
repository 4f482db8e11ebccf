"""One cache on disk: shards, and `cache.json`, which lists their contents and checksums."""

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

VERSION = 1  # of what is in a cache folder; another one is never read
CONTENTS, LOCK = "cache.json", ".writing"
BLOCK = 2**20  # read at once when checking
REMEDIES = "Choose another folder, cache.root=… or the environment variable INTERP_CACHE; or set cache=ram, or cache=off."

log = logging.getLogger(__name__)


def default_root() -> Path:
    """Return the folder of all caches.

    It is `activations` in the folder INTERP_CACHE, else in interp_by_design's below XDG_CACHE_HOME,
    else below ~/.cache.
    """
    given, shared = os.environ.get("INTERP_CACHE"), os.environ.get("XDG_CACHE_HOME")
    home = (
        Path(given)
        if given
        else (Path(shared) if shared else Path.home() / ".cache") / "interp_by_design"
    )
    return home.expanduser() / "activations"


def checksum(data: bytes | memoryview, before: int = 0) -> int:
    """Compute CRC-32: it finds what disks and copies damage, at 4 GB/s on one core.

    SHA-256 does 1.7 GB/s and BLAKE2b 0.8.

    Args:
        data: The bytes.
        before: Checksum of the bytes before them.
    """
    return zlib.crc32(data, before)


@final
class CacheFolder:
    """The folder of one split's passes; a shard is complete or absent.

    Args:
        path: The folder.
        plan: Its planned contents: the ingredients of its key, and the `sizes` of the shards in
            bytes.
    """

    def __init__(self, path: Path, plan: Mapping[str, Any] | None = None) -> None:
        self.path, self.plan = path, plan or {}
        self.contents: dict[str, Any] = {}
        self.reread()

    def reread(self) -> None:
        """Read `cache.json` again; nothing if it is absent, damaged, or of another version."""
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
        """Checksums of the complete shards, from the first."""
        checksums: list[str] = self.contents.get("checksums", [])
        return checksums

    @property
    def n_shards(self) -> int:
        """The planned number of shards."""
        return len(self.contents["sizes"]) if self.contents else 0

    @property
    def is_complete(self) -> bool:
        return bool(self.contents) and len(self.checksums) == self.n_shards

    @property
    def size(self) -> int:
        """Bytes of the complete shards."""
        return sum(self.contents.get("sizes", [])[: len(self.checksums)])

    def shard(self, number: int) -> Path:
        """Return the file of a shard.

        Args:
            number: From 0.
        """
        return self.path / f"{number:05}.shard"

    def begin(self) -> None:
        """Write the plan if nothing was written yet. `UserError` if it cannot be written."""
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
            number: From 0.
            data: Its bytes.

        Raises:
            UserError: If it cannot be written.
        """
        with reporting_remedies():
            with replacing(self.shard(number)) as file:
                file.write(data)
            self._write({**self.contents, "checksums": [*self.checksums, f"{checksum(data):08x}"]})

    @contextmanager
    def locked(self, wait: bool) -> Iterator[None]:
        """Keep other processes from writing here during the block.

        Args:
            wait: Whether to wait for a process that writes.

        Raises:
            UserError: If another process writes and `wait` is False.
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
                log.info("Another process records the same passes in %s; waiting for it", self.path)
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
        """Read all shards in several threads, and describe the damaged ones by file name."""
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            return [fault for fault in pool.map(self._fault, range(len(self.checksums))) if fault]

    def check(self) -> None:
        """Check all shards. `UserError` names the damaged ones, or a folder of other passes."""
        self._require_plan()
        if bad := self.bad():
            raise UserError(
                f"{self.path} is damaged: {', '.join(bad)}. Nothing was read from it. `interp "
                f"cache rm {self.key}"
                f"{'' if self.path.parent == default_root() else f' --root {self.path.parent}'}` "
                "removes it, and the next run "
                "records it again."
            )

    def _require_plan(self) -> None:
        """Refuse a folder of other passes, such as one that was copied or renamed."""
        wanted = json.loads(json.dumps(dict(self.plan)))
        if strange := [name for name, value in wanted.items() if self.contents.get(name) != value]:
            raise UserError(
                f"{self.path} holds other passes than its name says: {', '.join(strange)} differ. "
                "Remove it: `interp cache rm "
                f"{self.key}`; the next run records it again."
            )

    def remove(self) -> int:
        """Delete the folder, and return the freed bytes. `UserError` while another process writes it."""
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
                block = memoryview(bytearray(BLOCK))
                while read := opened.readinto(block):
                    found = checksum(block[:read], found)
        except FileNotFoundError:
            return f"{file.name} is not there"
        except OSError as error:
            return f"{file.name} cannot be read ({error.strerror})"
        return (
            None
            if f"{found:08x}" == self.checksums[number]
            else f"{file.name} is not what was written (its checksum differs)"
        )

    def _write(self, contents: dict[str, Any]) -> None:
        with reporting_remedies():
            write_text(self.path / CONTENTS, json.dumps(contents, indent=1) + "\n")
        self.contents = contents


@contextmanager
def reporting_remedies() -> Iterator[None]:
    """A file that cannot be written is fault with what to do about it."""
    try:
        yield
    except UserError as error:
        if REMEDIES in str(error):
            raise
        raise UserError(f"{error} What was recorded is kept, and resumed. {REMEDIES}") from error


def caches(root: Path) -> list[CacheFolder]:
    """Return every cache below a folder, by key.

    Args:
        root: The folder; it need not exist.
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
