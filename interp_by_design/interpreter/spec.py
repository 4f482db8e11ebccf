"""What an interpreter is rebuilt from, in plain values, and the building. Knows nothing of Hydra, weights or files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pkgutil import resolve_name
from typing import Any, final

import torch

from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.interpreter.safe_targets import builds_an_interpreter
from interp_by_design.terms import DataFacts, UserError

SPECIAL = (
    "_target_",
    "_partial_",
    "_args_",
    "_convert_",
    "_recursive_",
)  # Hydra's; containers are always plain here


@final
@dataclass(frozen=True)
class Parts:
    """An interpreter's `attributes` and `interpreter` as the config groups of these names have them: `_target_` and options.

    Copied, with mappings as dicts and sequences as lists. Raises `UserError` for a value that is no plain one.
    """

    attributes: dict[str, Any]
    interpreter: dict[str, Any]

    def __post_init__(self) -> None:
        for group in ("attributes", "interpreter"):
            given = getattr(self, group)
            if not isinstance(given, Mapping):
                raise UserError(
                    f"{group} is a mapping of _target_ and options, as in conf/{group}, not {given!r}."
                )
            object.__setattr__(self, group, _plain(given, group))


def built(config: Any, trust: bool = False) -> Any:
    """What `config` says, as Hydra would build it, with lists as lists; without `trust`, of this package's interpreters alone.

    Raises `UserError` for a `_target_` that is none, and that cannot be found where it is trusted.
    """
    if isinstance(config, list):
        return [built(entry, trust) for entry in config]
    if not isinstance(config, dict):
        return config
    deep = config.get("_recursive_", True)
    options = {
        key: built(value, trust) if deep else value
        for key, value in config.items()
        if key not in SPECIAL
    }
    if "_target_" not in config:
        return options
    make = partial(
        _named(config["_target_"], trust), *built(config.get("_args_", []), trust), **options
    )
    return make if config.get("_partial_") else make()


@contextmanager
def options_of(group: str) -> Iterator[None]:
    """What a constructor says of its arguments is said, as a `UserError`, of the options they came from."""
    try:
        yield
    except UserError:
        raise
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(f"The options of {group} do not work: {error}") from error


def assembled(
    parts: Parts,
    shapes: Sequence[torch.Size],
    facts: DataFacts,
    instantiate: Callable[[Any], Any] = built,
    telling: Callable[[str], AbstractContextManager[None]] = options_of,
) -> Interpreter:
    """The interpreter that `parts` describe, with fresh weights, over hidden layers of `shapes`.

    instantiate: makes an object, or a partial one, of a group. By default it accepts this package's classes alone; others take
        `functools.partial(built, trust=True)`.
    telling: makes what goes wrong in a group the user's error.
    """
    with telling("attributes"):
        dictionary = instantiate(parts.attributes)(shapes=shapes)
    with telling("interpreter"):
        make = instantiate(parts.interpreter)
        if lacking := [name for name in ("head", "decoder") if name not in make.keywords]:
            raise UserError(
                f"interpreter lacks {' and '.join(lacking)}: give a _target_ and options, as in conf/interpreter."
            )
        head = make.keywords["head"](
            n_attributes=dictionary.n_attributes, n_classes=facts.n_classes
        )
        decoder = make.keywords["decoder"](
            n_attributes=dictionary.n_attributes, image_shape=facts.image_shape
        )
        interpreter: Interpreter = make(dictionary=dictionary, head=head, decoder=decoder)
    return interpreter


def _named(target: Any, trust: bool) -> Callable[..., Any]:
    if not trust and not builds_an_interpreter(target):
        raise UserError(
            f"{target} is no part of an interpreter in this version of interp_by_design, and to build it could run anything. "
            "If you trust whoever wrote it: trust=True."
        )
    try:
        found = resolve_name(target)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UserError(
            f"{target} cannot be found: {error}. Install the package that it is in, or correct _target_."
        ) from error
    if not callable(found):
        raise UserError(
            f"{target} is a {type(found).__name__}; _target_ names a class or function, as package.module.Name."
        )
    make: Callable[..., Any] = found
    return make


def _plain(value: Any, key: str) -> Any:
    """`value` in dicts, lists, strings, numbers, booleans and None."""
    if isinstance(value, Mapping):
        return {str(name): _plain(entry, f"{key}.{name}") for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, f"{key}.{i}") for i, entry in enumerate(value)]
    if value is None or isinstance(value, str | int | float):
        return value
    raise UserError(
        f"{key} is a {type(value).__name__}; an interpreter is rebuilt from a _target_, strings and numbers."
    )
