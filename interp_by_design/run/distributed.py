"""The processes of a run on several devices: this one leads, and starts the workers.

Lightning's launcher would start the command line again. Under Hydra's multirun that is the whole
sweep, in other folders. Here each worker reads the run folder.
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

MAX_WAIT = 30  # seconds in which workers end by themselves
EXTERNAL = ("LOCAL_RANK", "SLURM_PROCID")  # set by launchers (torchrun, srun) of all processes


def n_processes(trainer: DictConfig) -> int:
    """Return how many processes of this machine `trainer.devices` asks for, one a device.

    Args:
        trainer: The config group `trainer`.

    Returns:
        A number of at least 1, or 0 where `trainer.devices` is 0.
    """
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
    """Return whether this process is the one that writes."""
    rank: int | None = rank_zero_only.rank  # type: ignore[attr-defined]  # Lightning sets it
    return not rank


@contextmanager
def leading(n: int) -> Iterator[Callable[[Path], None]]:
    """Prepare this process to lead `n` processes.

    The block waits for the workers at its end, and kills them after an exception. With one
    process, and under an external launcher, it does nothing.

    Args:
        n: The number of processes, this one included.

    Yields:
        A function that starts the workers in a run folder.
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
    workers: list[subprocess.Popen[bytes]] = []
    try:
        yield lambda folder: _start(workers, n, folder)
        for worker in workers:
            worker.wait(MAX_WAIT)
    finally:
        for worker in workers:
            worker.kill()
        os.environ.clear()
        os.environ.update(before)


def _start(workers: list[subprocess.Popen[bytes]], n: int, folder: Path) -> None:
    command = [sys.executable, "-m", "interp_by_design.run.worker", str(folder)]
    # The user's own classes are found in a worker as they are here.
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    for rank in range(1, n):
        environment = {**os.environ, "LOCAL_RANK": str(rank), "PYTHONPATH": path}
        workers.append(subprocess.Popen(command, env=environment))
    threading.Thread(target=_watch, args=(workers,), daemon=True).start()


def _watch(workers: list[subprocess.Popen[bytes]]) -> None:
    """End this process where a worker has failed: it would wait for that one forever."""
    while any(worker.poll() is None for worker in workers):
        time.sleep(0.5)
        if any(worker.poll() for worker in workers):
            time.sleep(MAX_WAIT)  # an error of this process says more
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
