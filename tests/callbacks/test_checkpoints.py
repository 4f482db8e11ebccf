"""State of the callbacks for checkpoints; tests/run tests that whole runs resume exactly."""

from __future__ import annotations

import io
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from interp_by_design.callbacks import BestCheckpoint, LastCheckpoint
from interp_by_design.callbacks.exact_resume import random_state, set_random_state
from interp_by_design.run import train
from interp_by_design.terms import UserError
from tests.small import composed


def draws() -> list[float]:
    return [
        random.random(),
        float(np.random.rand()),
        random.gauss(0, 1),
        float(np.random.randn()),
        float(torch.rand(())),
    ]


def test_generators_go_on_where_they_were_after_a_trip_through_a_safe_file() -> None:
    random.gauss(0, 1), np.random.randn()
    file = io.BytesIO()
    torch.save(random_state(), file)
    expected = draws()
    draws()
    file.seek(0)
    set_random_state(torch.load(file, weights_only=True))
    assert draws() == expected


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), "soon"])
def test_minutes_between_checkpoints_are_positive(minutes: object) -> None:
    with pytest.raises(UserError, match="is no time between checkpoints"):
        LastCheckpoint("checkpoints", minutes)  # type: ignore[arg-type]


def test_the_best_is_remembered_in_a_folder_that_moved(tmp_path: Path) -> None:
    """A later, worse validation does not replace the best, which Lightning forgets."""
    old, new = (
        BestCheckpoint(dirpath=tmp_path / name, filename="best", monitor="score", mode="max")
        for name in ("old", "new")
    )
    old.best_model_score, old.best_model_path = torch.tensor(0.9), f"{tmp_path}/old/best.ckpt"
    old.best_k_models, old.kth_best_model_path = (
        {old.best_model_path: torch.tensor(0.9)},
        old.best_model_path,
    )
    new.load_state_dict(old.state_dict())
    assert new.best_model_score == 0.9
    assert new.best_k_models == {f"{tmp_path}/new/best.ckpt": torch.tensor(0.9)}
    assert new.best_model_path == new.kth_best_model_path == f"{tmp_path}/new/best.ckpt"


@pytest.mark.slow
def test_a_moved_run_is_resumed_where_it_lies_now(tmp_path: Path) -> None:
    train(composed(tmp_path / "old", "trainer.max_epochs=1"))
    shutil.move(tmp_path / "old", tmp_path / "new")
    (tmp_path / "new/metrics.json").unlink()
    train(composed(tmp_path / "elsewhere", "trainer.max_epochs=1", f"resume={tmp_path / 'new'}"))
    assert (tmp_path / "new/metrics.json").is_file()
    assert not (tmp_path / "elsewhere").exists()
