"""A disk that is full or not writable: earlier files stay, and the error is reported."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import torch

from interp_by_design.files import replacing, write_text
from interp_by_design.run import train
from interp_by_design.run.checkpoint_io import AtomicCheckpointIO
from interp_by_design.terms import UserError
from tests.small import composed


def test_a_full_disk_leaves_the_checkpoint_before(small_disk: Path) -> None:
    io, path = AtomicCheckpointIO(), small_disk / "last.ckpt"
    io.save_checkpoint({"state_dict": {"weight": torch.zeros(1000)}}, path)
    with pytest.raises(
        UserError,
        match=r"last\.ckpt could not be written: No space left on device\. What was there",
    ):
        io.save_checkpoint({"state_dict": {"weight": torch.ones(600_000)}}, path)
    assert torch.equal(io.load_checkpoint(path)["state_dict"]["weight"], torch.zeros(1000))
    assert [file.name for file in small_disk.iterdir()] == ["last.ckpt"], (
        "temporary files are removed"
    )


@pytest.mark.slow
def test_a_run_whose_disk_fills_up_can_be_resumed_once_there_is_space(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = small_disk / "run"
    quick = [
        "trainer.max_epochs=1",
        "predictor.network.width=24",
        "predictor.network.channels=[4,8]",
        "attributes.n_attributes=10",
    ]
    (small_disk / "film.mp4").write_bytes(bytes(1_900_000))
    with pytest.raises(UserError, match="No space left on device"):
        train(composed(folder, *quick))
    (small_disk / "film.mp4").unlink()
    train(composed(folder, *quick, f"resume={folder}"))
    assert (folder / "metrics.json").is_file()


def test_a_disk_that_may_only_be_read_is_reported(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(
        UserError, match=r"run cannot be written: Read-only file system\. Choose another folder"
    ):
        train(composed(small_disk / "run"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights_is_reported(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(
        UserError, match=r"run cannot be written: Permission denied\. Choose another folder"
    ):
        train(composed(tmp_path / "closed/run"))


def test_a_write_that_fails_leaves_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_text(path, "before")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_a_folder_in_the_place_of_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").mkdir()
    with pytest.raises(UserError, match=r"metrics\.json could not be written"):
        write_text(tmp_path / "metrics.json", "{}")
