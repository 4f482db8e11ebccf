"""Which run a command means: a new one in its own folder, or one to resume."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from interp_by_design.data.datamodule import ImageData
from interp_by_design.run.configs import dotted
from interp_by_design.run.distributed import leads
from interp_by_design.run.folder import PROVENANCE, RunFolder
from interp_by_design.run.provenance import provenance
from interp_by_design.terms import UserError

# Keys that may differ between a run and its resumption.
NOT_COMPARED = ("resume", "folder", "name", "debug")
ABSENT = "(not there)"
MAX_SHOWN = 6  # changed keys that are listed one by one

log = logging.getLogger(__name__)


@contextmanager
def acquire(config: DictConfig) -> Iterator[tuple[RunFolder, DictConfig]]:
    """Acquire the folder of the run that `config` means, as its only writer for the block.

    Without `resume` that is a new run. With it, the run in that folder; with `resume` as the only
    option, its saved config holds. A process that does not lead is attached, and writes nothing.

    Args:
        config: The configuration of the command.

    Yields:
        The run folder, and the config that holds in it.

    Raises:
        UserError: For a new run in a folder that has one, for a resumed run that is not there or
            whose config is another (the error names the keys), and for a folder in use.
    """
    if not leads():
        yield attach(config)
        return
    folder = _folder_of(config)
    if config.resume is not None and not folder.is_claimed:
        raise UserError(
            f"resume={config.resume}: no run was ever begun there. "
            "Give the run folder that the training printed."
        )
    with folder.locked():
        if config.resume is None and folder.is_begun:
            raise UserError(
                f"{folder.path} already holds a run. Resume it, resume={folder.path}, "
                "or choose another folder: hydra.run.dir=…"
            )
        yield folder, _saved(folder, config) if folder.is_begun else _fresh(folder, config)


def attach(config: DictConfig) -> tuple[RunFolder, DictConfig]:
    """Return what `acquire` yields in the leading process, without a lock.

    Args:
        config: The configuration of the command.

    Returns:
        The run folder, and the config that holds in it.

    Raises:
        UserError: For a resumed run whose config is another.
    """
    folder = _folder_of(config)
    if config.resume is not None and folder.is_begun:
        return folder, _saved(folder, config)
    return folder, config


def record_start(folder: RunFolder, config: DictConfig, data: ImageData) -> None:
    """Write the config and provenance of a run that starts; record the date of one that resumes.

    Args:
        folder: The run folder.
        config: The config of the run.
        data: The data of the run.

    Raises:
        UserError: Where a resumed run meets other data than it began with.
    """
    if not folder.is_begun:
        folder.write_provenance(data.facts, data.fingerprint())
        folder.write_config(config)
    else:
        recorded = folder.read(PROVENANCE)
        if recorded["data"]["hash"] != data.fingerprint():
            raise UserError(
                f"The data is not what {folder.path} began with: its hash differs. "
                "Restore it, or start a new run."
            )
        resumed = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **provenance()}
        folder.write(PROVENANCE, recorded | {"resumed": [*recorded.get("resumed", []), resumed]})
    log.info("Training on %s; the run folder is %s", data, folder.path)


def changed_keys(saved: DictConfig, config: DictConfig) -> list[str]:
    """List the differences between two configs.

    Args:
        saved: The config before.
        config: The config now.

    Returns:
        Lines `key: before → now`. Keys that name the folder or help to debug are left out.
    """
    before, now = dotted(saved), dotted(config)
    keys = [
        key
        for key in {**before, **now}
        if key not in NOT_COMPARED and before.get(key, ABSENT) != now.get(key, ABSENT)
    ]
    return [f"{key}: {before.get(key, ABSENT)} → {now.get(key, ABSENT)}" for key in keys]


def resolved(config: DictConfig) -> dict[str, Any]:
    """Return a config as plain containers, with interpolations resolved.

    Args:
        config: The config.

    Returns:
        A dictionary of dictionaries, lists, strings and numbers.
    """
    content = OmegaConf.to_container(config, resolve=True)
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def _folder_of(config: DictConfig) -> RunFolder:
    return RunFolder(config.folder if config.resume is None else config.resume)


def _fresh(folder: RunFolder, config: DictConfig) -> DictConfig:
    """Return `config` for this folder; also where a run was killed before it wrote anything."""
    if folder.last_checkpoint is not None:  # its config or provenance was removed
        RunFolder.existing(folder.path)
    if config.resume is not None and _only_resumes():
        raise UserError(
            f"{folder.path} has nothing to resume. Give the whole command again: "
            "with resume= it starts there from the beginning."
        )
    config.folder = str(folder.path)
    return config


def _saved(folder: RunFolder, config: DictConfig) -> DictConfig:
    saved = RunFolder.existing(folder.path).config
    if not _only_resumes() and (changed := changed_keys(saved, config)):
        raise UserError(
            f"resume={config.resume} continues with the configuration that the run began with, "
            f"but this command changes {_first(changed)}. Leave that out, or start a new run. "
            "(With resume= alone, the saved one holds.)"
        )
    saved.folder, saved.resume = str(folder.path), config.resume
    return saved


def _first(changed: list[str]) -> str:
    more = len(changed) - MAX_SHOWN
    return "; ".join(changed[:MAX_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _only_resumes() -> bool:
    """Return whether the command line only names the run to resume; False without one."""
    if not HydraConfig.initialized():
        return False
    return all(
        override.partition("=")[0] in ("resume", "debug")
        for override in HydraConfig.get().overrides.task
    )
