"""Tests of what `save_pretrained` writes and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from interp_by_design.interpreter import InterpreterSpec
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import UserError
from tests.model.saving import FILES, model, network
from tests.small import small_model


def test_model_without_spec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"put together by hand.*spec=interp_by_design\.interpreter\.InterpreterSpec",
    ):
        small_model().save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_spec_of_another_interpreter_is_refused(tmp_path: Path) -> None:
    made = model(network())
    made.spec = InterpreterSpec(made.spec.attributes | {"n_attributes": 7}, made.spec.interpreter)
    with pytest.raises(
        UserError, match="spec builds another interpreter than it has: of another shape"
    ):
        made.save_pretrained(tmp_path)


def test_spec_holds_copies_of_plain_values() -> None:
    given = {"_target_": "x", "more": (1, {"a": None})}
    kept = InterpreterSpec(given, given)
    given["more"] = 2
    assert kept.attributes == {"_target_": "x", "more": [1, {"a": None}]}
    with pytest.raises(UserError, match=r"attributes\.size\.0 is a Tensor"):
        InterpreterSpec({"size": [torch.ones(2)]}, {})


def test_unrelated_files_are_not_overwritten(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# My project")
    with pytest.raises(UserError, match=r"holds README\.md of something else"):
        model(network()).save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "# My project"
    (saved / "notes.txt").write_text("mine")
    model(network(seed=2)).save_pretrained(saved)
    InterpretableModel.from_pretrained(saved, predictor=network(seed=2))
    assert (saved / "notes.txt").read_text() == "mine"


def test_full_disk_leaves_the_previous_files(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: (saved / name).read_bytes() for name in FILES}

    def full(_: int) -> None:
        full.calls += 1
        if full.calls == 3:  # the last of the files
            raise OSError(28, "No space left on device")

    full.calls = 0
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        model(network(seed=2)).save_pretrained(saved)
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "saved").write_text("")
    with pytest.raises(UserError, match="could not be written"):
        model(network()).save_pretrained(tmp_path / "saved")


def test_score_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    made = model(network())
    made.scores = {"kl": float("nan")}
    with pytest.raises(UserError, match="NaN or infinite"):
        made.save_pretrained(tmp_path)
    assert not any(tmp_path.iterdir())
