"""Which run a command means: a new one in a folder of its own, or one to go on with. Knows nothing of training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from interp_by_design.run.configs import dotted
from interp_by_design.run.folder import RunFolder
from interp_by_design.terms import UserError

NOT_COMPARED = (
    "resume",
    "folder",
    "name",
    "debug",
)  # they may differ between a run and its resumption


@contextmanager
def opened(config: DictConfig) -> Iterator[tuple[RunFolder, DictConfig]]:
    """The folder of the run that `config` means, this process its only writer, and the config that holds in it.

    Without `resume` that is a new run: `UserError` where the folder has one already. With it, the folder's own: `UserError` where
    there is none, and where `config` has other values than the run began with, with their keys. `resume` as the only option takes
    the saved config as it is.
    """
    folder = RunFolder(config.folder if config.resume is None else config.resume)
    if config.resume is not None and not folder.is_claimed:
        raise UserError(
            f"resume={config.resume}: no run was ever begun there. Give the run folder that the training printed."
        )
    with folder.locked():
        if config.resume is None and folder.is_begun:
            told = f"{folder.path} already holds a run."
            raise UserError(
                f"{told} Go on with it, resume={folder.path}, or choose another folder: hydra.run.dir=…"
            )
        yield folder, _saved(folder, config) if folder.is_begun else _fresh(folder, config)


def agreed(config: DictConfig) -> tuple[RunFolder, DictConfig]:
    """What `opened` gives the process that leads, for the others that something else has started: they do not write."""
    folder = RunFolder(config.folder if config.resume is None else config.resume)
    return folder, _saved(
        folder, config
    ) if config.resume is not None and folder.is_begun else config


def _fresh(folder: RunFolder, config: DictConfig) -> DictConfig:
    """`config`, in this folder; also where a run was killed so early that it left nothing to go on with."""
    if folder.last_checkpoint is not None:  # something has taken away what says how it was made
        RunFolder.existing(folder.path)
    if config.resume is not None and _only_resumes():
        raise UserError(
            f"{folder.path} has nothing to resume. Give the whole command again: with resume= it begins there anew."
        )
    config.folder = str(folder.path)
    return config


def _saved(folder: RunFolder, config: DictConfig) -> DictConfig:
    saved = RunFolder.existing(folder.path).config
    if not _only_resumes() and (changed := changed_keys(saved, config)):
        raise UserError(
            f"resume={config.resume} goes on with the configuration that the run began with, but this command changes "
            f"{_first(changed)}. Leave that out, or start a run of its own. (With resume= alone, the saved one holds.)"
        )
    saved.folder, saved.resume = str(folder.path), config.resume
    return saved


def changed_keys(saved: DictConfig, config: DictConfig) -> list[str]:
    """What differs between two configs, as `key: before → now`; what names the folder or helps to debug is left out."""
    before, now = dotted(saved), dotted(config)
    keys = [
        key
        for key in {**before, **now}
        if key not in NOT_COMPARED and before.get(key, _ABSENT) != now.get(key, _ABSENT)
    ]
    return [f"{key}: {before.get(key, _ABSENT)} → {now.get(key, _ABSENT)}" for key in keys]


_ABSENT = "(not there)"
SHOWN = 6  # changed keys that are told one by one


def _first(changed: list[str]) -> str:
    more = len(changed) - SHOWN
    return "; ".join(changed[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def plain(config: DictConfig) -> dict[str, Any]:
    """The config in Python's own types, interpolations resolved."""
    content = OmegaConf.to_container(config, resolve=True)
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def _only_resumes() -> bool:
    """Whether the command line says no more than which run to resume. Without a command line, it says everything."""
    if not HydraConfig.initialized():
        return False
    return all(
        override.partition("=")[0] in ("resume", "debug")
        for override in HydraConfig.get().overrides.task
    )
