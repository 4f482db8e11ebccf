"""Which classes and functions a stranger's config may name. Knows nothing of what is built from them."""

from __future__ import annotations

from importlib import import_module
from types import FunctionType
from typing import Any

from torch import nn

NETWORKS = "interp_by_design.predictor"
INTERPRETERS = ("interp_by_design.attributes", "interp_by_design.interpreter")


def builds_a_model(target: Any) -> bool:
    """Whether `target` `builds_an_interpreter`, or is a class or function that `predictor` defines at the top of a module.

    Where something is defined counts, and not where it is imported to.
    """
    found = _found(target, (NETWORKS,))
    return isinstance(found, type | FunctionType) or builds_an_interpreter(target)


def builds_an_interpreter(target: Any) -> bool:
    """Whether `target` is a class of torch modules that `attributes` or `interpreter` defines at the top of a module.

    No function there: among them is the one that builds whatever it is told to trust.
    """
    found = _found(target, INTERPRETERS)
    return isinstance(found, type) and issubclass(found, nn.Module)


def _found(target: Any, rooms: tuple[str, ...]) -> Any:
    """What `target` names, where one of `rooms` both has and defines it; else None."""
    module, _, name = str(target).rpartition(".")
    if not _in(rooms, module):
        return None
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError):
        return None
    return found if _in(rooms, getattr(found, "__module__", "")) else None


def _in(rooms: tuple[str, ...], module: str) -> bool:
    return any(f"{module}.".startswith(f"{room}.") for room in rooms)
