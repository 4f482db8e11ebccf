"""The folder of the configuration, and a config as one flat table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

PACKAGE = Path(__file__).parents[1]


def config_dir() -> Path:
    """Return the folder with train.yaml and its groups.

    It is `conf/` next to the package in a checkout, and inside the package in a wheel.

    Returns:
        The folder, independent of the current folder.

    Raises:
        FileNotFoundError: For a damaged installation.
    """
    places = [PACKAGE / "conf", PACKAGE.parent / "conf"]
    for place in places:
        if (place / "train.yaml").is_file():
            return place
    raise FileNotFoundError(
        f"No configuration: train.yaml is neither in {places[0]} nor in {places[1]}. "
        "Install the package again."
    )


def dotted(config: DictConfig) -> dict[str, Any]:
    """Flatten a config.

    Args:
        config: The config. Interpolations are not resolved.

    Returns:
        Values by dotted key; a list is one value.
    """
    return dict(_leaves(OmegaConf.to_container(config)))


def _leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict) or not node:
        yield prefix, node
        return
    for key, value in node.items():
        yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
