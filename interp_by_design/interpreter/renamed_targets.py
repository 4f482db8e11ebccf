"""Current names of the classes that configs of earlier versions name under `_target_`."""

from __future__ import annotations

from typing import Any

# Version 0.1.0 (format 1) on the left. A dotted name that is not listed is still valid.
RENAMED_TARGETS = {
    "interp_by_design.gather.CacheSettings": "interp_by_design.activations.CacheSettings",
    "interp_by_design.gather.cache_settings.CacheSettings": (
        "interp_by_design.activations.CacheSettings"
    ),
    "interp_by_design.data.Factors": "interp_by_design.data.FactorImages",
    "interp_by_design.data.factors.Factors": "interp_by_design.data.FactorImages",
    "interp_by_design.data.FactorsFine": "interp_by_design.data.FineFactorImages",
    "interp_by_design.data.factors_fine.FactorsFine": "interp_by_design.data.FineFactorImages",
}


def with_current_targets(node: Any) -> Any:
    """Return a config in which every renamed `_target_` has its current name.

    Args:
        node: A config of plain containers: dicts, lists, strings and numbers, nested to any depth.

    Returns:
        A copy of `node`; entries other than `_target_` are unchanged.

    >>> with_current_targets({"cache": {"_target_": "interp_by_design.gather.CacheSettings"}})
    {'cache': {'_target_': 'interp_by_design.activations.CacheSettings'}}
    """
    if isinstance(node, list):
        return [with_current_targets(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    current = {key: with_current_targets(value) for key, value in node.items()}
    if isinstance(target := current.get("_target_"), str):
        current["_target_"] = RENAMED_TARGETS.get(target, target)
    return current
