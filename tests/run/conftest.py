"""The folder of a run that never trained, to load from and to damage."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from interp_by_design.run.build import build_model
from interp_by_design.run.folder import CONFIG, RunFolder
from tests.small import FACTS, composed


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run")
    config = composed(path)
    RunFolder(path).write_config(config)
    RunFolder(path).write_provenance(FACTS, "hash")
    (path / "checkpoints").mkdir()
    weights = build_model(config, FACTS).state_dict()
    torch.save(
        {"epoch": 0, "state_dict": {f"model.{key}": value for key, value in weights.items()}},
        path / "checkpoints/last.ckpt",
    )
    return path


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.fixture
def change(run: Path) -> Callable[..., None]:
    """Sets entries of the saved config, a double underscore for each dot of their keys."""

    def change(**entries: Any) -> None:
        config = OmegaConf.load(run / CONFIG)
        for key, value in entries.items():
            OmegaConf.update(config, key.replace("__", "."), value, merge=False, force_add=True)
        OmegaConf.save(config, run / CONFIG)

    return change
