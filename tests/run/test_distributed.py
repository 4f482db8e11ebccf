"""Two processes train one run: one folder, and the numbers of one process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# Without dropout and BatchNorm (FLINT's dictionary has none), and in double precision: sums over
# two halves round differently from one sum, and training amplifies that.
EXACT = [
    "attributes=flint",
    "predictor.hidden_layers=[conv2]",
    "trainer.max_epochs=1",
    "trainer.accelerator=cpu",
    "trainer.precision=64-true",
    "threads=1",
]


def command(folder: Path, *overrides: str) -> list[str]:
    return [
        sys.executable,
        str(ROOT / "train.py"),
        *overrides,
        *EXACT,
        f"hydra.run.dir={folder}",
        f"hydra.sweep.dir={folder}",
    ]


def run(folder: Path, *overrides: str) -> None:
    done = subprocess.run(
        command(folder, *overrides), cwd=folder.parent, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def scores(folder: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads((folder / "metrics.json").read_text())
    return {key: value for key, value in found.items() if not key.startswith("train/")}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job on two processes and one on a single process, of the same global batch."""
    folder = tmp_path_factory.mktemp("ranks")
    run(folder / "two", "-m", "trainer.devices=2", "data.batch_size=32", "seed=0")
    run(folder / "one", "data.batch_size=64", "seed=0")
    return folder


def test_two_processes_give_the_numbers_of_one(sweep: Path) -> None:
    assert scores(sweep / "two/0") == pytest.approx(scores(sweep / "one"), rel=1e-5, abs=1e-6)


def test_two_processes_leave_one_run_folder(sweep: Path) -> None:
    def files(folder: Path) -> set[str]:
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    assert files(sweep / "two/0") == files(sweep / "one")
    assert {path.name for path in (sweep / "two").iterdir()} == {"0", "multirun.yaml"}
