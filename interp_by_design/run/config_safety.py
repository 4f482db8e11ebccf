"""Check of a saved config: it may name what builds models or reads data in this package.

`interpreter.safe_targets` decides about targets. Weights are read without unpickling
(`checkpoint_io`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from interp_by_design.files import reporting_damage
from interp_by_design.interpreter.safe_targets import (
    TARGET,
    builds_a_data_set,
    builds_a_model,
    disarmed,
    unsafe_entries,
)
from interp_by_design.terms import UserError

GROUPS = ("predictor", "attributes", "interpreter")  # what builds a model
READ = (*GROUPS, "checkpoint")  # all that loading reads of a config


def harmless(config: DictConfig, file: Path) -> DictConfig:
    """Return the part of a saved config that loading reads, resolved and checked.

    What is checked here is what is built: interpolations of other keys are resolved, calls of
    resolvers are not. `${oc.env:…}` reads secrets, and a resolver that the surrounding program
    has registered may do anything.

    Args:
        config: The config of a run whose author is unknown.
        file: The file that it was read from, for messages.

    Returns:
        The groups that build a model, and the name of the checkpoint.

    Raises:
        UserError: For a target that does not build a model in this package, for a call of a
            resolver, and for a config that lacks a group.
    """
    with reporting_damage(file):
        found = _resolved(config)
    if unsafe := unsafe_entries(found, builds_a_model):
        raise UserError(
            f"{file} names what is no part of a model in this version of interp_by_design, "
            "and loading could run it:\n"
            + "\n".join(f"  {key}: {value}" for key, value in unsafe)
            + "\nIf you trust the author of the run: load(…, trust=True)."
        )
    return OmegaConf.create(found)


def require_data_set(options: dict[str, Any], file: Path) -> None:
    """Check that options of `data` build a data set of this package and nothing else.

    Args:
        options: The options, unresolved, in plain containers.
        file: The file that they were read from, for messages.

    Raises:
        UserError: For any other target, for a nested target, and for an interpolation.
    """
    target = options.get(TARGET)
    inside = {key: value for key, value in options.items() if key != TARGET}
    unsafe = [value for _, value in unsafe_entries(inside, lambda nested: False)]
    if not builds_a_data_set(target):
        unsafe.insert(0, target)
    if unsafe:
        raise UserError(
            f"The data in {file} names what is no data set of this package "
            f"({', '.join(map(str, unsafe))}), and reading it could run it. "
            "If you trust the author of the run: --trust, or trust=True."
        )


def _resolved(config: DictConfig) -> dict[str, Any]:
    whole = OmegaConf.create(disarmed(OmegaConf.to_container(config)))
    if missing := [key for key in READ if key not in whole]:
        raise UserError(f"it lacks {', '.join(missing)}")
    parts = {key: whole[key] for key in READ}
    return {
        key: OmegaConf.to_container(part, resolve=True) if OmegaConf.is_config(part) else part
        for key, part in parts.items()
    }
