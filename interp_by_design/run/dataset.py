"""The data set of a saved run.

The author of the run may be unknown: its config may name data sets of this package alone.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from interp_by_design.data import ImageData
from interp_by_design.files import reporting_damage
from interp_by_design.run.build import build_data
from interp_by_design.run.config_safety import require_data_set
from interp_by_design.run.folder import CONFIG, PROVENANCE, RunFolder
from interp_by_design.terms import DataFacts, UnknownName, UserError

log = logging.getLogger(__name__)


def run_data(folder: RunFolder, changes: Sequence[str] = (), trust: bool = False) -> ImageData:
    """Read the data of a run, without augmentation and without downloads.

    Data that differs from what the run was trained on is logged.

    Args:
        folder: The run folder.
        changes: Changes of the options of the data, such as `data.root=FOLDER`.
        trust: Whether the config may name classes from outside this package.

    Returns:
        The data set, with its splits read.

    Raises:
        UserError: For data that is not there or does not fit the run's model, for an unknown
            option, and for a config that is not trusted.
    """
    options = data_options(folder, changes, trust)
    try:
        data = build_data(OmegaConf.create({"data": options}))
    except UserError as error:
        message = f"The data of {folder.path} cannot be read: {error}"
        if not changes and "root" in options:
            message += (
                f"\n(The run read it from {options['root']!r}. "
                "Where it has moved: --data data.root=FOLDER.)"
            )
        raise UserError(message) from error
    require_same(data.facts, folder.facts, str(data))
    if data.fingerprint() != folder.read(PROVENANCE)["data"].get("hash"):
        log.warning("The data is not what %s was trained on: its hash differs.", folder.path)
    return data


def data_options(folder: RunFolder, changes: Sequence[str], trust: bool) -> dict[str, Any]:
    """Return the options that build the data of a run.

    Args:
        folder: The run folder.
        changes: Changes of the options, such as `data.root=FOLDER`.
        trust: Whether the config may name classes from outside this package.

    Returns:
        The options, checked, without augmentation and without downloads.

    Raises:
        UserError: For a config without data, or one that is not trusted, and for an unknown option.
    """
    config = folder.config
    with reporting_damage(folder.path / CONFIG):
        if not isinstance(config.get("data"), DictConfig):
            raise UserError("it lacks data")
        container = OmegaConf.to_container(config.data, resolve=trust)
    options: dict[str, Any] = (
        {str(key): value for key, value in container.items()} if isinstance(container, dict) else {}
    )
    options |= {"augmentation": None} | ({"download": False} if "download" in options else {})
    if options.get("seed") == "${seed}":
        options["seed"] = config.get("seed", 0)
    if not trust:
        require_data_set(options, folder.path / CONFIG)
    for change in changes:
        key, value = _changed(change, options)
        options[key] = value
    return options


def require_same(found: DataFacts, wanted: DataFacts, what: str) -> None:
    """Check that images and classes of data are those that a model was made for.

    Args:
        found: Facts about the data.
        wanted: Facts that the model keeps of its data.
        what: The data, for messages.

    Raises:
        UserError: Where shape of images or names of classes differ.
    """
    if found.image_shape != wanted.image_shape:
        raise UserError(
            f"{what} has images of {found.image_shape}, and the model takes {wanted.image_shape}."
        )
    if found.class_names != wanted.class_names:
        raise UserError(
            f"{what} has the classes {_listed(found.class_names)}, and the model knows "
            f"{_listed(wanted.class_names)}. Names and order have to be the same."
        )


def _changed(change: str, options: dict[str, Any]) -> tuple[str, Any]:
    key, equals, _ = change.partition("=")
    name = key.strip().removeprefix("data.")
    if not equals:
        raise UserError(
            f"'{change}' changes nothing of the data. Wanted KEY=VALUE, such as data.root=FOLDER."
        )
    if name not in options:
        raise UnknownName.among(
            "option of the data", name, [known for known in options if known != "_target_"]
        )
    return name, OmegaConf.to_container(
        OmegaConf.from_dotlist([f"value={change.partition('=')[2]}"])
    )["value"]  # type: ignore[call-overload,index]  # a dict


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
