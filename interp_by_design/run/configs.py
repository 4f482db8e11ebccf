"""Where the configuration is (`conf/` beside the package in a checkout, inside it in a wheel), and a config as one flat table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

PACKAGE = Path(__file__).parents[1]


def config_dir() -> Path:
    """The folder that holds train.yaml and its groups, whatever folder a command is given in."""
    places = [PACKAGE / "conf", PACKAGE.parent / "conf"]
    for place in places:
        if (place / "train.yaml").is_file():
            return place
    raise FileNotFoundError(
        f"No configuration: train.yaml is neither in {places[0]} nor in {places[1]}. Install the package anew."
    )


def dotted(config: DictConfig) -> dict[str, Any]:
    """Values by dotted key, as they were given: interpolations as they are written; a list is one value."""
    return dict(_leaves(OmegaConf.to_container(config)))


def _leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict) or not node:
        yield prefix, node
        return
    for key, value in node.items():
        yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
