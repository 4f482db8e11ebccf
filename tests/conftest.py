"""Shared fixtures, and a deterministic Hypothesis profile."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Set before torch is imported, and inherited by the processes that tests start: on networks this
# small one thread is faster than several, most of all on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline: the first call of a torch operation takes longer than the rest.
settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that reads real data as slow."""
    for item in items:
        if "interp_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def interp_data() -> Path:
    """The folder that INTERP_DATA names, laid out as torchvision does it: `MNIST/raw/…`."""
    if not os.environ.get("INTERP_DATA"):
        pytest.skip("INTERP_DATA is not set: it names the folder with the real data sets")
    folder = Path(os.environ["INTERP_DATA"])
    if not folder.is_dir():
        pytest.fail(
            f"INTERP_DATA is '{folder}', which is no folder. "
            "Set it to the one that holds MNIST/, or unset it."
        )
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB; mounting one takes root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small finished run on digits, for tests that only read it."""
    from interp_by_design.run import train
    from tests.small import composed

    folder = tmp_path_factory.mktemp("trained") / "run"
    train(
        composed(
            folder,
            "trainer.max_epochs=4",
            "predictor.network.width=32",
            "attributes.n_attributes=12",
        )
    )
    return folder


@pytest.fixture
def finished_run(trained_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that the test may change."""
    return Path(
        shutil.copytree(
            trained_run, tmp_path / "run", ignore=shutil.ignore_patterns("tables", "explanations")
        )
    )
