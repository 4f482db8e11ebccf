"""Activation cache on disk: kills, a second writer, damage, a full disk, and `interp cache`."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from interp_by_design import cli
from interp_by_design.activations import activation_cache, cached_activations
from interp_by_design.activations.cache_folder import CacheFolder, caches
from interp_by_design.terms import UserError
from tests.activations.cached import on_disk, record_small, small_data, small_predictor

SLOWLY = """
import sys, time
from pathlib import Path
from interp_by_design import files
from interp_by_design.activations.cache_folder import CacheFolder
from tests.activations.cached import record_small

add = CacheFolder.add

def slowly(self, number, data):
    if number >= 3:
        (self.path / f".{number:05}.shard.writing").write_bytes(bytes(data[:100]))
        time.sleep(float(sys.argv[2]))
    add(self, number, data)

CacheFolder.add = slowly
record_small(Path(sys.argv[1]))
"""


def another_process(root: Path, seconds: float) -> subprocess.Popen[bytes]:
    """Records slowly; returns once it has written three shards and is about to write the next."""
    process = subprocess.Popen([sys.executable, "-c", SLOWLY, str(root), str(seconds)])
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.02)
        if any(len(folder.checksums) >= 3 and folder.n_shards > 3 for folder in caches(root)):
            return process
    process.kill()
    raise AssertionError("nothing was recorded")


def shards(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*.shard")}


def test_a_writer_that_was_killed_leaves_what_another_goes_on_with(tmp_path: Path) -> None:
    process = another_process(tmp_path / "killed", 0.5)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (train,) = caches(tmp_path / "killed")
    assert 3 <= len(train.checksums) < train.n_shards
    before = {
        name: (tmp_path / "killed" / name).stat().st_mtime_ns
        for name in shards(tmp_path / "killed")
    }
    record_small(tmp_path / "killed")
    record_small(tmp_path / "whole")
    assert shards(tmp_path / "killed") == shards(tmp_path / "whole")
    kept = [
        name
        for name, changed in before.items()
        if (tmp_path / "killed" / name).stat().st_mtime_ns == changed
    ]
    assert len(kept) >= 3
    assert not list(tmp_path.rglob("*.writing")) or all(
        file.name == ".writing" for file in tmp_path.rglob("*.writing")
    )


@pytest.mark.slow
def test_a_second_process_waits_and_uses_what_the_first_wrote(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    process, seen = another_process(tmp_path, 0.1), []
    predictor = small_predictor()
    predictor.network.register_forward_hook(
        lambda _module, inputs, _output: seen.append(len(inputs[0]))
    )
    assert cached_activations(predictor, small_data(), on_disk(tmp_path))
    assert process.wait() == 0
    assert "Another process records the same activations" in caplog.text
    assert sum(seen) <= 24, "val and test at most, which the first had not begun"


def test_a_second_one_waits_in_vain_for_nobody(tmp_path: Path) -> None:
    process = another_process(tmp_path, 30)
    (train,) = caches(tmp_path)
    with pytest.raises(UserError, match=f"{train.key} is being written by another process"):
        train.remove()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert train.remove() > 0
    assert caches(tmp_path) == []


def test_every_bad_shard_is_named_before_anything_is_read(tmp_path: Path) -> None:
    record_small(tmp_path)
    train = max(caches(tmp_path), key=lambda folder: folder.n_shards)
    flipped = bytearray(train.shard(1).read_bytes())
    flipped[700] ^= 4
    train.shard(1).write_bytes(flipped)
    train.shard(4).write_bytes(b"cut")
    train.shard(6).unlink()
    with pytest.raises(UserError) as raised:
        record_small(tmp_path)
    assert str(raised.value) == (
        f"{train.path} is damaged: 00001.shard is damaged: its checksum differs, 00004.shard has "
        "3 bytes, not 2,048, 00006.shard is missing. Nothing was read from it. "
        f"`interp cache rm {train.key} --root {tmp_path}` removes it, and the next run records it "
        "again."
    )
    train.remove()
    assert record_small(tmp_path).seconds > 0


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"version": 0, "checksums": [], "sizes": []}', '{"version": 1}']
)
def test_a_list_of_contents_that_cannot_be_read_is_written_again(
    damage: str, tmp_path: Path
) -> None:
    record_small(tmp_path)
    whole = shards(tmp_path)
    for folder in caches(tmp_path):
        (folder.path / "cache.json").write_text(damage)
    assert record_small(tmp_path).seconds > 0
    assert shards(tmp_path) == whole


def test_the_list_of_contents_is_enough_to_read_shards_without_this_program(tmp_path: Path) -> None:
    passes = record_small(tmp_path)
    train = max(caches(tmp_path), key=lambda folder: folder.n_shards)
    message = json.loads((train.path / "cache.json").read_text())
    assert (message["split"], message["layers"], message["rows"]) == ("train", ["conv1", "fc1"], 77)
    field = next(field for field in message["fields"] if field["name"] == "hidden0")
    rows = message["rows_per_shard"]
    read = np.fromfile(
        train.shard(1), field["dtype"], rows * int(np.prod(field["shape"])), offset=field["offset"]
    )
    wanted = next(batch.seen.hidden[0] for batch in passes.in_order("train"))[rows : 2 * rows]
    assert np.array_equal(read.reshape(rows, *field["shape"]), wanted.numpy())


def test_a_disk_that_fills_up_is_reported_and_gone_on_with(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = os.statvfs(small_disk)
    film = small_disk / "film.mp4"
    film.write_bytes(bytes(free.f_bavail * free.f_bsize - 36_000))
    root = small_disk / "cache"
    monkeypatch.setattr(activation_cache, "_free_disk", lambda folder: 2**40)
    with pytest.raises(
        UserError,
        match=r"(shard|json) could not be written: No space left on device\..*"
        r"Choose another folder, cache\.root",
    ):
        record_small(root)
    assert all(not folder.bad() for folder in caches(root))
    done = sum(len(folder.checksums) for folder in caches(root))
    film.unlink()
    monkeypatch.undo()
    record_small(root)
    assert 0 < done < sum(len(folder.checksums) for folder in caches(root))
    assert all(folder.is_complete and not folder.bad() for folder in caches(root))


def test_a_disk_that_may_only_be_read_is_reported_unless_all_is_there(small_disk: Path) -> None:
    record_small(small_disk / "there")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert record_small(small_disk / "there").seconds == 0
    with pytest.raises(
        UserError,
        match=r"cannot be written: Read-only file system\. Choose another folder, cache\.root=…",
    ):
        record_small(small_disk / "cache")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights_is_reported(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(
        UserError,
        match=r"cannot be written: Permission denied\. Choose another folder, cache\.root=…",
    ):
        record_small(tmp_path / "closed/cache")


# ------------------------------------------------------------------------------------ interp cache
Command = Callable[..., str]


@pytest.fixture
def interp(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """`interp cache …` on caches in this test's folder; what it prints."""

    def command(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["/bin/interp", "cache", *arguments])
        monkeypatch.setenv("INTERP_CACHE", str(tmp_path))
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        with pytest.raises(SystemExit) if code else nullcontext() as ended:
            cli.main()
        assert ended is None or ended.value.code == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    return command


def stopped(root: Path) -> CacheFolder:
    """The cache of train, as a writer that was stopped leaves it."""
    folder = max(caches(root), key=lambda folder: folder.n_shards)
    contents = json.loads((folder.path / "cache.json").read_text())
    contents["checksums"] = contents["checksums"][:4]
    (folder.path / "cache.json").write_text(json.dumps(contents))
    return folder


def test_caches_are_listed(interp: Command, tmp_path: Path) -> None:
    root = tmp_path / "activations"
    assert "No cache in" in interp("ls")
    record_small(root)
    train = stopped(root)
    (root / "other").mkdir()
    printed = interp("ls")
    assert re.search(
        rf"{train.key} .* LeNet .* conv1, fc1 .* train .* 77 .* float16 .* 0\.0 MB .* 4 of 10",
        printed,
    )
    assert printed.count("complete") == 2
    assert "3 caches, 0.0 MB in" in printed
    assert "No cache in" in interp("ls", "--root", str(tmp_path / "elsewhere"))


def test_a_cache_without_description_spoils_neither_list_nor_verification(
    interp: Command, tmp_path: Path
) -> None:
    root = tmp_path / "activations"
    record_small(root)
    first, *_ = caches(root)
    (first.path / "cache.json").write_text('{"version": 1, "checksums": [], "sizes": []}')
    assert "cache.json is damaged" in interp("ls")
    assert f"{first.key}: cache.json is damaged" in interp("verify", code=1)
    assert "No cache ''" in interp("rm", "", code=1)
    assert len(caches(root)) == 3


def test_caches_are_verified(interp: Command, tmp_path: Path) -> None:
    root = tmp_path / "activations"
    record_small(root)
    first, second, third = caches(root)
    assert interp("verify").count("whole") == 3
    second.shard(0).write_bytes(b"")
    assert f"{second.key}: 00000.shard has 0 bytes" in interp("verify", code=1)
    assert "damaged" not in interp("verify", first.key, third.key[:6])
    assert "No cache 'zzz' in" in interp("verify", "zzz", code=1)


def test_caches_are_removed(interp: Command, tmp_path: Path) -> None:
    root = tmp_path / "activations"
    record_small(root)
    train = stopped(root)
    assert "Nothing to remove. Give keys" in interp("rm", code=1)
    assert re.search("Removed 1 cache .* freed", interp("rm", "--incomplete"))
    assert train.key not in {folder.key for folder in caches(root)}
    first, second = caches(root)
    assert re.search(
        f"No cache '{first.key[:-1]}x'.*Did you mean '{first.key}'",
        interp("rm", first.key[:-1] + "x", code=1),
    )
    assert "Removed 1 cache " in interp("rm", first.key)
    assert [folder.key for folder in caches(root)] == [second.key]
    assert "Removed 1 cache " in interp("rm", "--all", second.key)
    assert caches(root) == []


def test_passes_under_the_name_of_others_are_never_read(tmp_path: Path) -> None:
    one, other = (
        CacheFolder(tmp_path / name, {"weights": name, "sizes": [3]}) for name in ("one", "other")
    )
    for folder in (one, other):
        folder.begin()
        folder.add(0, memoryview(b"abc"))
    one.check()
    (tmp_path / "one/cache.json").write_bytes((tmp_path / "other/cache.json").read_bytes())
    swapped = CacheFolder(tmp_path / "one", one.plan)
    with pytest.raises(
        UserError, match="holds other activations than its name says: weights differ"
    ):
        swapped.check()
