"""What the config of a stranger's run may do: name what builds a model in this package, and nothing else.

Knows nothing of weights; those are read without unpickling (`loading`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from interp_by_design.files import reading
from interp_by_design.interpreter.safe_targets import builds_a_model
from interp_by_design.terms import UserError

GROUPS = ("predictor", "attributes", "interpreter")  # what builds a model
READ = (*GROUPS, "checkpoint")  # all that loading reads of a config
RESOLVER = "$ {"  # for the "${" of a string that calls a resolver: an interpolation no more


def harmless(config: DictConfig, file: Path) -> DictConfig:
    """What loading reads of the `config` saved in `file`, resolved: what is checked here is what is built.

    Raises `UserError` where a target, at any depth, `builds_a_model` not, and where a resolver is called: `${oc.env:…}` reads
    secrets, and one that the surrounding program has registered may do anything.
    """
    with reading(file):
        found = _resolved(config)
    strange = [
        f"  {key}: {value}" for key, value in _entries(found) if not _is_harmless(key, value)
    ]
    if strange:
        raise UserError(
            f"{file} names what is no part of a model in this version of interp_by_design, and loading could run it:\n"
            + "\n".join(strange)
            + "\nIf you trust whoever made the run: load(…, trust=True)."
        )
    return OmegaConf.create(found)


def _resolved(config: DictConfig) -> dict[str, Any]:
    whole = OmegaConf.create(_disarmed(OmegaConf.to_container(config)))
    if missing := [key for key in READ if key not in whole]:
        raise UserError(f"it lacks {', '.join(missing)}")
    parts = {key: whole[key] for key in READ}
    return {
        key: OmegaConf.to_container(part, resolve=True) if OmegaConf.is_config(part) else part
        for key, part in parts.items()
    }


def _disarmed(node: Any) -> Any:
    """`node` with no resolver in it. A string that calls one has both `${` and a colon; a colon alone does no harm."""
    if isinstance(node, dict):
        return {key: _disarmed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_disarmed(value) for value in node]
    return (
        node.replace("${", RESOLVER)
        if isinstance(node, str) and "${" in node and ":" in node
        else node
    )


def _entries(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Each entry below `node`, at any depth, by its dotted key."""
    pairs = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for name, value in pairs:
        below = f"{key}.{name}" if key else str(name)
        yield below, value
        yield from _entries(value, below)


def _is_harmless(key: str, value: Any) -> bool:
    if key.endswith("_target_"):
        return builds_a_model(value)
    return not (
        isinstance(value, str) and (RESOLVER in value or "${" in value)
    )  # the latter would be resolved when it is built
