"""The run folder: its files, written whole and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from interp_by_design.files import reporting_damage, write_text
from interp_by_design.interpreter.renamed_targets import with_current_targets
from interp_by_design.run import FORMAT
from interp_by_design.run.provenance import provenance
from interp_by_design.terms import DataFacts, Normalisation, UserError

READABLE_FORMATS = (1, FORMAT)  # of format 1, renamed targets are replaced in memory
LOCK = ".run"
CONFIG = ".hydra/config.yaml"
PROVENANCE = "provenance.json"
METRICS = "metrics.json"
TABLES = "tables"  # interpretation tables, a folder a split
INTERPRETER = "interpreter"  # what a post-hoc run fitted, apart from the network


@final
class RunFolder:
    """The folder with the config, checkpoints, provenance and scores of a run.

    Files are written to a temporary name and renamed, so that none is ever half written.

    Args:
        path: The folder. It need not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def existing(cls, path: str | Path) -> RunFolder:
        """Open a folder that a run has written.

        Args:
            path: The folder.

        Returns:
            The run folder.

        Raises:
            UserError: For any other folder, and for a run of another format.
        """
        folder = cls(path)
        with reporting_damage(folder.path):
            missing = [file for file in (CONFIG, PROVENANCE) if not folder.has(file)]
        if missing:
            raise UserError(
                f"{folder.path} is not a run folder: it lacks {' and '.join(missing)}. "
                "Give the folder that the training printed."
            )
        found = folder.read(PROVENANCE).get("format")
        if found not in READABLE_FORMATS:
            raise UserError(
                f"{folder.path} was written in run format {found}, and this version reads formats "
                f"{', '.join(map(str, READABLE_FORMATS))}. Install the version that wrote it: "
                f"{PROVENANCE} in the folder names it."
            )
        return folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for the block; the lock of a process that dies is released.

        Raises:
            UserError: Where another process has the lock, and where the folder cannot be written.
        """
        lock = FileLock(self.path / LOCK, timeout=0)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise UserError(
                f"{self.path} is in use by another process. Wait for it, or choose another folder."
            ) from None
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be written: {error.strerror or error}. Choose another folder, "
                "hydra.run.dir=…, or get the right to write there."
            ) from error
        try:
            yield
        finally:
            lock.release()

    @property
    def is_claimed(self) -> bool:
        """Whether a run has ever locked this folder, however early it ended."""
        return self.has(LOCK)

    @property
    def is_begun(self) -> bool:
        """Whether a run has written config and provenance here, and so can be resumed."""
        return self.has(CONFIG) and self.has(PROVENANCE)

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name.

        Args:
            name: The name, relative to the folder.

        Returns:
            Whether it is a file.
        """
        return (self.path / name).is_file()

    @property
    def last_checkpoint(self) -> Path | None:
        """The checkpoint that a resumed run starts from; None before the first one."""
        path = self.path / "checkpoints/last.ckpt"
        return path if path.is_file() else None

    @property
    def config(self) -> DictConfig:
        """The config of the run, with the current names of targets."""
        with reporting_damage(self.path / CONFIG):
            config = OmegaConf.load(self.path / CONFIG)
            if not isinstance(config, DictConfig):
                raise UserError("it is a list")
        current: DictConfig = OmegaConf.create(with_current_targets(OmegaConf.to_container(config)))
        return current

    @property
    def facts(self) -> DataFacts:
        """Shape of images, classes and normalisation of the data that the model was built for."""
        provenance = self.read(PROVENANCE)
        with reporting_damage(self.path / PROVENANCE):
            facts = provenance["data"]
            channels, height, width = map(int, facts["image_shape"])
            normalisation = Normalisation(
                tuple(map(float, facts["mean"])), tuple(map(float, facts["std"]))
            )
            return DataFacts((channels, height, width), tuple(facts["class_names"]), normalisation)

    def checkpoint(self, which: str = "best") -> Path:
        """Return the file of a checkpoint.

        Args:
            which: "best" or "last".

        Returns:
            The file.

        Raises:
            UserError: Where there is none.
        """
        path = self.path / "checkpoints" / f"{which}.ckpt"
        if not path.is_file():
            there = sorted(file.stem for file in path.parent.glob("*.ckpt"))
            raise UserError(
                f"No checkpoint '{which}' in {self.path}. There: {', '.join(there) or 'none yet'}."
            )
        return path

    def read(self, name: str) -> dict[str, Any]:
        """Read a JSON file of this folder.

        Args:
            name: The name of the file.

        Returns:
            Its content.

        Raises:
            UserError: For a file that is missing or damaged.
        """
        with reporting_damage(self.path / name):
            content = json.loads((self.path / name).read_text())
            if not isinstance(content, dict):
                raise UserError("it holds no names with values")
        return content

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file, whole or not at all.

        Args:
            name: The name of the file.
            content: Its content.

        Raises:
            UserError: Where it cannot be written.
        """
        write_text(self.path / name, json.dumps(content, indent=2, allow_nan=False) + "\n")

    def write_config(self, config: DictConfig) -> None:
        """Write config, overrides and Hydra's own settings, as Hydra does.

        Hydra itself would write before the folder is locked.

        Args:
            config: The config of the run.

        Raises:
            UserError: Where a file cannot be written.
        """
        if HydraConfig.initialized():
            hydra = HydraConfig.get()
            write_text(self.path / ".hydra/overrides.yaml", OmegaConf.to_yaml(hydra.overrides.task))
            write_text(
                self.path / ".hydra/hydra.yaml",
                OmegaConf.to_yaml(OmegaConf.create({"hydra": hydra})),
            )
        write_text(self.path / CONFIG, OmegaConf.to_yaml(config))

    def write_provenance(self, facts: DataFacts, data_hash: str) -> None:
        """Write what loading the model needs, and where the numbers of the run come from.

        Args:
            facts: Facts about the data.
            data_hash: The fingerprint of the data.

        Raises:
            UserError: Where the file cannot be written.
        """
        data = {
            "image_shape": list(facts.image_shape),
            "class_names": list(facts.class_names),
            "mean": list(facts.normalisation.mean),
            "std": list(facts.normalisation.std),
            "hash": data_hash,
        }
        self.write(PROVENANCE, {"format": FORMAT, **provenance(), "data": data})
