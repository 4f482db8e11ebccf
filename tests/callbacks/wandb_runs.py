"""Offline runs of wandb, and readers of their files."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import wandb
from matplotlib.figure import Figure
from wandb.proto.wandb_internal_pb2 import Record

from interp_by_design.callbacks import Guarded, Wandb, announce, guarded, summarise
from interp_by_design.callbacks.loggers import Drawing

CONFIG = {"seed": 3, "learning": {"beta": 0.5}}
ORIGIN = {"revision": "abc123+", "versions": {"torch": "2.15"}}
SCORES = {"test/fidelity": 0.75, "train/loss": 0.125}


def run(logger: Wandb, steps: range, *, status: str = "success") -> Guarded:
    """Call the logger as a run of Lightning does, and return its guard."""
    [guard] = guarded({"wandb": logger})
    assert isinstance(guard, Guarded)
    announce([guard], CONFIG, ORIGIN)
    for step in steps:
        guard.log_metrics({"train/loss": 1 / (1 + step), "epoch": step // 2}, step)
        guard.save()
    guard.finalize(status)
    if status == "success":
        summarise([guard], SCORES)
    return guard


def records(folder: Path) -> list[Record]:
    """Return the records of the only offline run in a folder, a LevelDB log in 32 KiB blocks."""
    if wandb.run is not None:
        wandb.finish()  # Lightning's own logger leaves its run open
    wandb.teardown()  # waits until wandb's process has written
    [file] = folder.glob("wandb/offline-run-*/*.wandb")
    data, at, found, whole = file.read_bytes(), 7, [], b""  # 7: the file's own header
    while at < len(data):
        if 32768 - at % 32768 < 7:  # no space left in the block for a fragment's header
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or its last fragment
            found.append(Record.FromString(whole))
            whole = b""
    return found


def values(items: Any) -> dict[str, Any]:
    return {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}


def nested(items: Any) -> dict[str, Any]:
    """Return the values, with images and tables as nested dictionaries."""
    found: dict[str, Any] = {}
    for item in items:
        *path, last = item.nested_key or [item.key]
        inner = found
        for key in path:
            inner = inner.setdefault(key, {})
        inner[last] = json.loads(item.value_json)
    return found


def history(folder: Path) -> list[dict[str, Any]]:
    return [nested(record.history.item) for record in records(folder) if record.HasField("history")]


def drawing(key: str) -> Drawing:
    return Drawing.from_figure(
        key, f"what {key} shows", Figure(figsize=(2, 1), dpi=50, facecolor="#0000ff")
    )


def kept(folder: Path, path: str) -> Path:
    [file] = folder.glob(f"wandb/offline-run-*/files/{path}")
    return file


def services() -> list[int]:
    """Return the ids of the wandb processes that this process started."""
    parent = os.getpid()
    stats = [file.read_text() for file in Path("/proc").glob("[0-9]*/stat")]
    parts = [
        (stat.partition(" (")[0], *stat.partition(" (")[2].rpartition(") ")[::2]) for stat in stats
    ]
    return [
        int(number)
        for number, name, rest in parts
        if name.startswith("wandb") and int(rest.split()[1]) == parent
    ]
