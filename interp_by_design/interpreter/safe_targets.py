"""Which classes and functions the config of an unknown author may name.

A config is safe when building it can only run code of this package that builds models or reads
data sets. These functions decide about one `_target_`, and about a whole config in plain
containers. Where something is defined counts, not where it is imported to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from types import FunctionType
from typing import Any

from torch import nn

NETWORKS = "interp_by_design.predictor"
INTERPRETERS = ("interp_by_design.attributes", "interp_by_design.interpreter")
DATA_SETS = "interp_by_design.data"
TARGET = "_target_"
INTERPOLATION = "${"  # OmegaConf resolves it: `${oc.env:…}` reads secrets
DISARMED = "$ {"  # its replacement by `disarmed` where it calls a resolver


def builds_a_model(target: Any) -> bool:
    """Decide whether a target may build a part of a model.

    Args:
        target: A dotted name, as in `_target_`.

    Returns:
        Whether it `builds_an_interpreter`, or is a class or function that `predictor` defines at
        the top of a module.

    Examples:
        >>> builds_a_model("interp_by_design.predictor.LeNet"), builds_a_model("os.system")
        (True, False)
    """
    found = _found(target, (NETWORKS,))
    return isinstance(found, type | FunctionType) or builds_an_interpreter(target)


def builds_an_interpreter(target: Any) -> bool:
    """Decide whether a target may build a part of an interpreter.

    Functions may not: one of them builds any target that it is asked to trust.

    Args:
        target: A dotted name, as in `_target_`.

    Returns:
        Whether it is a class of torch modules that `attributes` or `interpreter` defines at the
        top of a module.
    """
    found = _found(target, INTERPRETERS)
    return isinstance(found, type) and issubclass(found, nn.Module)


def builds_a_data_set(target: Any) -> bool:
    """Decide whether a target may build a data set.

    Args:
        target: A dotted name, as in `_target_`.

    Returns:
        Whether it is one of the data sets that `data` exports, by that name.
    """
    module, _, name = str(target).rpartition(".")
    if module != DATA_SETS:
        return False
    exported = import_module(DATA_SETS)
    found = getattr(exported, name, None) if name in exported.__all__ else None
    return isinstance(found, type) and issubclass(found, exported.ImageData)


def unsafe_entries(config: Any, is_safe: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    """Return the entries of a config that could run or reveal something else.

    Args:
        config: The config in dicts, lists, strings and numbers.
        is_safe: Decides about one target, for example `builds_a_model`.

    Returns:
        Dotted key and value of each target that is not safe and of each string that OmegaConf
        would resolve, at any depth.

    Examples:
        >>> config = {"a": {"_target_": "os.system"}, "b": ["${oc.env:HOME}"]}
        >>> unsafe_entries(config, builds_a_model)
        [('a._target_', 'os.system'), ('b.0', '${oc.env:HOME}')]
    """
    return [
        (key, value)
        for key, value in _entries(config)
        if (not is_safe(value) if key.endswith(TARGET) else _is_interpolation(value))
    ]


def disarmed(node: Any) -> Any:
    """Return a config in which no string calls a resolver, so that resolving it runs nothing.

    A call has both `${` and a colon; its `${` becomes `$ {`, which `unsafe_entries` reports.
    References to other keys stay.

    Args:
        node: A config in dicts, lists, strings and numbers.

    Returns:
        A copy.
    """
    if isinstance(node, dict):
        return {key: disarmed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [disarmed(value) for value in node]
    if isinstance(node, str) and INTERPOLATION in node and ":" in node:
        return node.replace(INTERPOLATION, DISARMED)
    return node


def _is_interpolation(value: Any) -> bool:
    return isinstance(value, str) and (INTERPOLATION in value or DISARMED in value)


def _entries(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each entry below `node`, at any depth, with its dotted key."""
    items: Any = ()
    if isinstance(node, dict):
        items = node.items()
    elif isinstance(node, list):
        items = enumerate(node)
    for name, value in items:
        below = f"{key}.{name}" if key else str(name)
        yield below, value
        yield from _entries(value, below)


def _found(target: Any, packages: tuple[str, ...]) -> Any:
    """Return what `target` names where one of `packages` has and defines it; else None."""
    module, _, name = str(target).rpartition(".")
    if not _in(packages, module):
        return None
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError):
        return None
    return found if _in(packages, getattr(found, "__module__", "")) else None


def _in(packages: tuple[str, ...], module: str) -> bool:
    return any(f"{module}.".startswith(f"{package}.") for package in packages)
