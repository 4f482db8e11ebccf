"""Tests of publishing to the Hugging Face Hub, and of loading from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from interp_by_design.model import InterpretableModel
from interp_by_design.terms import UserError
from tests.model.saving import FILES, network
from tests.small import small_model


class Hub:
    """Record of the repositories created and the files uploaded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.created: list[str] = []
        self.uploaded: dict[str, bytes] = {}
        monkeypatch.setattr(HfApi, "create_repo", self.create)
        monkeypatch.setattr(HfApi, "upload_folder", self.upload)

    def create(self, repo_id: str, **_: Any) -> Any:
        self.created.append(repo_id)
        return type("Repo", (), {"repo_id": repo_id})

    def upload(self, folder_path: Path, **_: Any) -> str:
        self.uploaded = {file.name: file.read_bytes() for file in Path(folder_path).iterdir()}
        return "address"


def test_published_files_equal_the_saved_ones(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, made = Hub(monkeypatch), InterpretableModel.from_pretrained(saved, predictor=network())
    assert made.push_to_hub("me/mine", private=True) == "address"
    assert hub.uploaded == {name: (saved / name).read_bytes() for name in FILES}
    assert (
        made.save_pretrained(tmp_path / "other", push_to_hub=True, repo_id="me/other") == "address"
    )
    assert hub.created == ["me/mine", "me/other"]


def test_no_repository_is_created_for_a_model_without_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch)
    with pytest.raises(UserError, match="put together by hand"):
        small_model().push_to_hub("me/mine")
    assert not hub.created


def test_model_is_loaded_from_a_repository(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def downloaded(repo_id: str, **options: Any) -> str:
        asked.update(options, repo_id=repo_id)
        return str(saved)

    monkeypatch.setattr("interp_by_design.model.restoring.snapshot_download", downloaded)
    back = InterpretableModel.from_pretrained("me/mine", predictor=network(), revision="v1")
    assert back.scores == {"fidelity": 0.96875, "kl": 0.1}
    assert (asked["repo_id"], asked["revision"], set(asked["allow_patterns"])) == (
        "me/mine",
        "v1",
        FILES,
    )
