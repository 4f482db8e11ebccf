"""Where the configuration is: `conf/` beside the package in a checkout, and inside the package where a wheel was installed."""

from __future__ import annotations

from pathlib import Path

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
