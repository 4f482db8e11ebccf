"""The data that a run was trained on, read again, perhaps from another place. Knows nothing of models but the facts they hold.

The run may be a stranger's: what its config names under `data` is built only where it is one of this package's data sets.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

import interp_by_design.data as sets
from interp_by_design.data import ImageData
from interp_by_design.files import reading
from interp_by_design.run.build import build_data
from interp_by_design.run.folder import CONFIG, PROVENANCE, RunFolder
from interp_by_design.terms import DataFacts, UnknownName, UserError

log = logging.getLogger(__name__)


def run_data(folder: RunFolder, changes: Sequence[str] = (), trust: bool = False) -> ImageData:
    """The data of a run, read, with the `changes` that a user gives, such as `data.root=FOLDER`; not augmented, nothing fetched.

    Tells where it is not what the run was trained on. Raises `UserError` for data that is not there, or that does not fit the
    run's model, and for a config that names what is no data set of this package, unless it is `trust`ed.
    """
    options = data_options(folder, changes, trust)
    try:
        data = build_data(OmegaConf.create({"data": options}))
    except UserError as error:
        told = f"The data of {folder.path} cannot be read: {error}"
        if not changes and "root" in options:
            told += f"\n(The run read it from {options['root']!r}. Where it has moved: --data data.root=FOLDER.)"
        raise UserError(told) from error
    require_same(data.facts, folder.facts, str(data))
    if data.fingerprint() != folder.read(PROVENANCE)["data"].get("hash"):
        log.warning("The data is not what %s was trained on: its hash differs.", folder.path)
    return data


def data_options(folder: RunFolder, changes: Sequence[str], trust: bool) -> dict[str, Any]:
    """The run's options of `data`, changed, resolved, and checked."""
    config = folder.config
    with reading(folder.path / CONFIG):
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
        _require_harmless(options, folder)
    for change in changes:
        key, value = _changed(change, options)
        options[key] = value
    return options


def require_same(found: DataFacts, wanted: DataFacts, what: str) -> None:
    """`UserError` unless images and classes of data are those that a model was made for."""
    if found.image_shape != wanted.image_shape:
        raise UserError(
            f"{what} has images of {found.image_shape}, and the model takes {wanted.image_shape}."
        )
    if found.class_names != wanted.class_names:
        raise UserError(
            f"{what} has the classes {_listed(found.class_names)}, and the model knows {_listed(wanted.class_names)}. Names and "
            "order have to be the same."
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


def _require_harmless(options: dict[str, Any], folder: RunFolder) -> None:
    target = options.get("_target_")
    module, _, name = str(target).rpartition(".")
    found = getattr(sets, name, None) if module == sets.__name__ and name in sets.__all__ else None
    known = isinstance(found, type) and issubclass(found, ImageData)
    inside = [
        value
        for key, value in _entries(options)
        if key == "_target_" or (isinstance(value, str) and "${" in value)
    ]
    if not known or inside != [target]:
        strange = ", ".join(str(value) for value in inside if value != target or not known)
        raise UserError(
            f"The data in {folder.path / CONFIG} names what is no data set of this package ({strange}), and reading it could run "
            "it. If you trust whoever made the run: --trust, or trust=True."
        )


def _entries(node: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    ):
        yield key, value
        yield from _entries(value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
