"""Fixtures of the tests of callbacks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import wandb

from interp_by_design.callbacks.loggers.wandb import leave_service
from tests.callbacks.wandb_runs import services


@pytest.fixture
def isolated_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the user's settings and keys of wandb, and end its processes afterwards."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / "settings" / name))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    leave_service()
    yield
    if wandb.run is not None:  # an open run would capture the output of later tests
        with suppress(Exception):
            wandb.finish()
    leave_service()
    for process in services():  # sometimes one does not end
        os.kill(process, signal.SIGKILL)
