"""Saved model, and a function that changes its configuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.model.saving import model, network


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model(network()).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture
def change(saved: Path) -> Callable[..., None]:
    """Return a function that sets entries of config.json; `__` separates nested keys."""

    def change(**entries: Any) -> None:
        config = json.loads((saved / "config.json").read_text())
        for key, value in entries.items():
            *path, last = key.split("__")
            inner = config
            for step in path:
                inner = inner[step]
            inner[last] = value
        (saved / "config.json").write_text(json.dumps(config))

    return change
