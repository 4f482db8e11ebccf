"""The processes of a run on several devices: this one leads, and starts the others.

Not Lightning's launcher: that starts the command line again, which under Hydra's multirun would be the whole sweep, in folders of
its own. Here each process reads the run folder.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from omegaconf import DictConfig
from pytorch_lightning.utilities import rank_zero_only

PATIENCE = 30  # seconds in which the other processes end by themselves
EXTERNAL = (
    "LOCAL_RANK",
    "SLURM_PROCID",
)  # who sets these (torchrun, srun) starts all processes itself


def n_processes(trainer: DictConfig) -> int:
    """How many processes of this machine `trainer.devices` asks for, one a device."""
    devices = trainer.devices
    if isinstance(devices, int) and devices >= 0:
        return devices
    if isinstance(devices, str) and devices.isdigit():
        return int(devices)
    if not isinstance(devices, str | int):
        return len(devices)
    on_gpus = trainer.accelerator in ("auto", "gpu", "cuda")
    return max(1, torch.cuda.device_count()) if on_gpus else 1


def leads() -> bool:
    """Whether this process is the one that writes."""
    rank: int | None = rank_zero_only.rank  # type: ignore[attr-defined]  # Lightning sets it from outside
    return not rank


@contextmanager
def leading(n: int) -> Iterator[Callable[[Path], None]]:
    """Prepares this process to lead `n`; what it yields starts the others, in the run folder that it is given.

    At the end of the block they are waited for; after an exception they are ended. With one process, or where something else
    starts all of them, it does nothing.
    """
    if n < 2 or any(name in os.environ for name in EXTERNAL):
        yield lambda folder: None
        return
    before = dict(os.environ)
    os.environ.update(
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=_free_port(),
        WORLD_SIZE=str(n),
        NODE_RANK="0",
        LOCAL_RANK="0",
    )
    others: list[subprocess.Popen[bytes]] = []
    try:
        yield lambda folder: _start(others, n, folder)
        for process in others:
            process.wait(PATIENCE)
    finally:
        for process in others:
            process.kill()
        os.environ.clear()
        os.environ.update(before)


def _start(others: list[subprocess.Popen[bytes]], n: int, folder: Path) -> None:
    command = [sys.executable, "-m", "interp_by_design.run.worker", str(folder)]
    path = os.pathsep.join(
        entry or os.getcwd() for entry in sys.path
    )  # classes of the user's own are found as they are here
    for rank in range(1, n):
        others.append(
            subprocess.Popen(
                command, env={**os.environ, "LOCAL_RANK": str(rank), "PYTHONPATH": path}
            )
        )
    threading.Thread(target=_watch, args=(others,), daemon=True).start()


def _watch(others: list[subprocess.Popen[bytes]]) -> None:
    """Ends this process where another has failed: it would wait for that one for ever."""
    while any(process.poll() is None for process in others):
        time.sleep(0.5)
        if any(process.poll() for process in others):
            time.sleep(PATIENCE)  # if it fails by itself, it can say more
            print(
                "Another process of this run failed; see above. This one ends too.",
                file=sys.stderr,
                flush=True,
            )
            os._exit(1)


def _free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])
