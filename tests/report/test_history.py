"""The history equals what was logged."""

from __future__ import annotations

from pathlib import Path

import pytest

from interp_by_design.report.history import read_history
from interp_by_design.terms import UserError


def write(folder: Path, text: str) -> None:
    (folder / "csv").mkdir()
    (folder / "csv/metrics.csv").write_text(text)


def test_each_key_has_its_own_steps(tmp_path: Path) -> None:
    write(tmp_path, "epoch,step,train/loss,val/kl\n0,9,2.5,\n0,19,1.5,\n0,19,,0.25\n")
    assert read_history(tmp_path) == {"train/loss": ([9, 19], [2.5, 1.5]), "val/kl": ([19], [0.25])}


def test_a_last_line_cut_short_and_numbers_that_are_none_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "step,train/loss\n1,nan\n2,1.5\n3,1.")
    assert read_history(tmp_path) == {"train/loss": ([2], [1.5])}


def test_a_run_that_logged_nothing_has_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path) == {}
    write(tmp_path, "")
    assert read_history(tmp_path) == {}


def test_a_damaged_table_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "step,train/loss\n1,x\n")
    with pytest.raises(UserError, match=r"metrics\.csv is damaged"):
        read_history(tmp_path)
