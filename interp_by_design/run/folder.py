"""The run folder: what is written in it, and how it is read back. Knows nothing of training."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import torch
from omegaconf import DictConfig, OmegaConf

from interp_by_design.terms import DataFacts, Normalisation, UserError

FORMAT = 1
CLAIMED = ".run"
PACKAGES = (
    "interp_by_design",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "torchmetrics",
    "hydra-core",
    "numpy",
    "scikit-learn",
)


@final
class RunFolder:
    """Where a run keeps its config, checkpoints, provenance and numbers. Files are written beside and renamed, never half."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def existing(cls, path: str | Path) -> RunFolder:
        """A folder that a run has written; raises `UserError` for any other."""
        folder = cls(path)
        missing = [file for file in (".hydra/config.yaml", "provenance.json") if not (folder.path / file).is_file()]
        if missing:
            raise UserError(
                f"{folder.path} is not a run folder: it lacks {' and '.join(missing)}. Give the folder that train.py printed."
            )
        found = folder.read("provenance.json").get("format")
        if found != FORMAT:
            raise UserError(f"{folder.path} was written in run format {found}; this version reads format {FORMAT}.")
        return folder

    def claim(self) -> None:
        """Makes the folder this run's own; raises `UserError` where another run has it, also one begun this very second."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            (self.path / CLAIMED).touch(exist_ok=False)
        except FileExistsError:
            raise UserError(f"{self.path} already holds a run. Choose another folder: hydra.run.dir=…") from None

    @property
    def config(self) -> DictConfig:
        """The config as the run was given it."""
        config = OmegaConf.load(self.path / ".hydra/config.yaml")
        assert isinstance(config, DictConfig)  # noqa: S101  a file with keys gives a dict
        return config

    @property
    def facts(self) -> DataFacts:
        """What the model was told of its data."""
        facts = self.read("provenance.json")["data"]
        normalisation = Normalisation(tuple(facts["mean"]), tuple(facts["std"]))
        return DataFacts(tuple(facts["image_shape"]), tuple(facts["class_names"]), normalisation)

    def checkpoint(self, which: str = "best") -> Path:
        """The checkpoint file "best" or "last"; raises `UserError` where there is none."""
        path = self.path / "checkpoints" / f"{which}.ckpt"
        if not path.is_file():
            there = sorted(file.stem for file in path.parent.glob("*.ckpt"))
            raise UserError(f"No checkpoint '{which}' in {self.path}. There: {', '.join(there) or 'none yet'}.")
        return path

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of this folder."""
        content: dict[str, Any] = json.loads((self.path / name).read_text())
        return content

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """A JSON file, whole or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        beside = self.path / f".{name}.writing"
        with beside.open("w") as file:
            json.dump(content, file, indent=2, allow_nan=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path / name)

    def write_provenance(self, facts: DataFacts, data_hash: str) -> None:
        """What is needed to load the model, and to say where its numbers come from."""
        data = {
            "image_shape": list(facts.image_shape),
            "class_names": list(facts.class_names),
            "mean": list(facts.normalisation.mean),
            "std": list(facts.normalisation.std),
            "hash": data_hash,
        }
        self.write("provenance.json", {"format": FORMAT, **origin(), "data": data})


def origin() -> dict[str, Any]:
    """Where a figure comes from: command, git revision, versions, machine."""
    machine = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }
    return {
        "command": " ".join(["python", *sys.argv]),
        "revision": _revision(),
        "versions": {package: version(package) for package in PACKAGES},
        "machine": machine,
    }


def _revision() -> str | None:
    """The git revision that ran, with a + where files differ from it; None outside a checkout."""
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
