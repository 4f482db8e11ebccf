"""A cache on disk: shards and `cache.json`, which says what they hold and which are whole. Knows nothing of tensors."""

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
WAYS_OUT = "Choose another folder, cache.root=… or the environment variable INTERP_CACHE; or set cache=ram, or cache=off."

log = logging.getLogger(__name__)


def default_root() -> Path:
    """`activations` in the folder INTERP_CACHE, else in interp_by_design's below XDG_CACHE_HOME, else below ~/.cache."""
    given, shared = os.environ.get("INTERP_CACHE"), os.environ.get("XDG_CACHE_HOME")
    home = (
        Path(given)
        if given
        else (Path(shared) if shared else Path.home() / ".cache") / "interp_by_design"
    )
    return home.expanduser() / "activations"


def checksum(data: bytes | memoryview, before: int = 0) -> int:
    """CRC-32: it finds what disks and copies do to a file, at 4 GB/s on one core where SHA-256 does 1.7 and BLAKE2b 0.8."""
    return zlib.crc32(data, before)


@final
class CacheFolder:
    """The folder of one split's passes; shards are there whole or not at all.

    `plan` is what it is to hold: the ingredients of its key, and under `sizes` how large each shard is to be.
    """

    def __init__(self, path: Path, plan: Mapping[str, Any] | None = None) -> None:
        self.path, self.plan = path, plan or {}
        self.contents: dict[str, Any] = {}
        self.reread()

    def reread(self) -> None:
        """What `cache.json` says now; nothing where it is not there, damaged, or of another version."""
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
        """Of the shards that are whole, from the first."""
        checksums: list[str] = self.contents.get("checksums", [])
        return checksums

    @property
    def n_shards(self) -> int:
        """How many shards there are to be."""
        return len(self.contents["sizes"]) if self.contents else 0

    @property
    def is_complete(self) -> bool:
        return bool(self.contents) and len(self.checksums) == self.n_shards

    @property
    def size(self) -> int:
        """Bytes of the shards that are whole."""
        return sum(self.contents.get("sizes", [])[: len(self.checksums)])

    def shard(self, number: int) -> Path:
        """The file of a shard."""
        return self.path / f"{number:05}.shard"

    def begin(self) -> None:
        """Writes the plan, where nothing has been written by it. Raises UserError where it cannot be written."""
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
        """The next shard. Raises UserError where it cannot be written."""
        with telling_ways_out():
            with replacing(self.shard(number)) as file:
                file.write(data)
            self._write({**self.contents, "checksums": [*self.checksums, f"{checksum(data):08x}"]})

    @contextmanager
    def locked(self, wait: bool) -> Iterator[None]:
        """For the block, no other process writes here. Without `wait`, UserError where one does."""
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
                f"{self.path} cannot be written: {error.strerror or error}. {WAYS_OUT}"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def bad(self) -> list[str]:
        """What is wrong with shards that should be whole, by file name; each is read, in several threads."""
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            return [told for told in pool.map(self._fault, range(len(self.checksums))) if told]

    def check(self) -> None:
        """Raises UserError that names all shards that are not as they were written, and for a folder of other passes."""
        self._require_plan()
        if bad := self.bad():
            raise UserError(
                f"{self.path} is damaged: {', '.join(bad)}. Nothing was read from it. `interp cache rm {self.key}"
                f"{'' if self.path.parent == default_root() else f' --root {self.path.parent}'}` removes it, and the next run "
                "records it anew."
            )

    def _require_plan(self) -> None:
        """Whatever brought it here, a copy or a new name, a folder of other passes is never read under this key."""
        wanted = json.loads(json.dumps(dict(self.plan)))
        if strange := [name for name, value in wanted.items() if self.contents.get(name) != value]:
            raise UserError(
                f"{self.path} holds other passes than its name says: {', '.join(strange)} differ. Remove it: `interp cache rm "
                f"{self.key}`; the next run records it anew."
            )

    def remove(self) -> int:
        """Deletes all of it; returns how many bytes that freed. Raises UserError while another process writes it."""
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
        with telling_ways_out():
            write_text(self.path / CONTENTS, json.dumps(contents, indent=1) + "\n")
        self.contents = contents


@contextmanager
def telling_ways_out() -> Iterator[None]:
    """A file that cannot be written is told with what to do about it."""
    try:
        yield
    except UserError as error:
        if WAYS_OUT in str(error):
            raise
        raise UserError(
            f"{error} What was recorded is kept, and gone on with. {WAYS_OUT}"
        ) from error


def caches(root: Path) -> list[CacheFolder]:
    """Every cache below `root`, by key; none where there is no such folder."""
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
