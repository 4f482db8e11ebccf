"""An interpreter's configuration in plain values, and the construction from it."""

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

# Hydra's own keys, which are not options. `_convert_` has no effect: containers are always plain.
HYDRA_KEYS = ("_target_", "_partial_", "_args_", "_convert_", "_recursive_")


@final
@dataclass(frozen=True)
class InterpreterSpec:
    """Plain values that an interpreter is rebuilt from: `_target_` and options of two groups.

    Values are copied; mappings become dicts and sequences lists.

    Args:
        attributes: The dictionary, as in conf/attributes.
        interpreter: The interpreter with its head and decoder, as in conf/interpreter.

    Raises:
        UserError: A group is not a mapping, or holds a value other than a string, number, boolean,
            None, or a container of these.

    >>> InterpreterSpec({"_target_": "package.Dictionary", "k": 4}, {}).attributes["k"]
    4
    """

    attributes: dict[str, Any]
    interpreter: dict[str, Any]

    def __post_init__(self) -> None:
        for group in ("attributes", "interpreter"):
            given = getattr(self, group)
            if not isinstance(given, Mapping):
                raise UserError(
                    f"{group} is a mapping of _target_ and options, as in conf/{group}, "
                    f"not {given!r}."
                )
            object.__setattr__(self, group, _plain(given, group))


def instantiate(config: Any, trust: bool = False) -> Any:
    """Build the object that a config describes, as Hydra would, with lists as lists.

    Args:
        config: Plain values; a dict with `_target_` becomes an object.
        trust: Whether any `_target_` is accepted; otherwise only this package's interpreters and
            dictionaries are.

    Returns:
        The object, or the plain value.

    Raises:
        UserError: A `_target_` is not accepted, or cannot be found.

    >>> instantiate({"_target_": "builtins.dict", "a": [1, 2]}, trust=True)
    {'a': [1, 2]}
    """
    if isinstance(config, list):
        return [instantiate(entry, trust) for entry in config]
    if not isinstance(config, dict):
        return config
    deep = config.get("_recursive_", True)
    options = {
        key: instantiate(value, trust) if deep else value
        for key, value in config.items()
        if key not in HYDRA_KEYS
    }
    if "_target_" not in config:
        return options
    positional = instantiate(config.get("_args_", []), trust)
    make = partial(_resolve(config["_target_"], trust), *positional, **options)
    return make if config.get("_partial_") else make()


@contextmanager
def option_errors(group: str) -> Iterator[None]:
    """Re-raise errors of constructors as `UserError`s that name the config group.

    Args:
        group: The name of the config group whose options are used.

    Raises:
        UserError: The body raised a `UserError`, `TypeError`, `ValueError`, `AttributeError` or
            `RuntimeError`.
    """
    try:
        yield
    except UserError:
        raise
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(f"The options of {group} do not work: {error}") from error


def build_interpreter(
    spec: InterpreterSpec,
    shapes: Sequence[torch.Size],
    facts: DataFacts,
    make: Callable[[Any], Any] = instantiate,
    error_context: Callable[[str], AbstractContextManager[None]] = option_errors,
) -> Interpreter:
    """Build an interpreter with fresh weights.

    Args:
        spec: What to build.
        shapes: The shapes of the hidden layers, without the batch axis.
        facts: The data set's image shape and classes.
        make: Makes an object, or a partial one, of a config group. By default it accepts this
            package's classes alone; `functools.partial(instantiate, trust=True)` accepts others.
        error_context: A context manager for the construction of a named group, which converts
            errors.

    Returns:
        The interpreter.

    Raises:
        UserError: Options do not work, or the interpreter lacks a head or a decoder.
    """
    with error_context("attributes"):
        dictionary = make(spec.attributes)(shapes=shapes)
    with error_context("interpreter"):
        group = make(spec.interpreter)
        if lacking := [name for name in ("head", "decoder") if name not in group.keywords]:
            raise UserError(
                f"interpreter lacks {' and '.join(lacking)}: give a _target_ and options, "
                "as in conf/interpreter."
            )
        head = group.keywords["head"](
            n_attributes=dictionary.n_attributes, n_classes=facts.n_classes
        )
        decoder = group.keywords["decoder"](
            n_attributes=dictionary.n_attributes, image_shape=facts.image_shape
        )
        interpreter: Interpreter = group(dictionary=dictionary, head=head, decoder=decoder)
    return interpreter


def _resolve(target: Any, trust: bool) -> Callable[..., Any]:
    if not trust and not builds_an_interpreter(target):
        raise UserError(
            f"{target} is no part of an interpreter in this version of interp_by_design, and to "
            "build it could run any code. If you trust its author: trust=True."
        )
    try:
        found = resolve_name(target)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UserError(
            f"{target} cannot be found: {error}. Install the package that it is in, or correct "
            "_target_."
        ) from error
    if not callable(found):
        raise UserError(
            f"{target} is a {type(found).__name__}; _target_ names a class or function, as "
            "package.module.Name."
        )
    make: Callable[..., Any] = found
    return make


def _plain(value: Any, key: str) -> Any:
    """Copy `value` into dicts, lists, strings, numbers, booleans and None."""
    if isinstance(value, Mapping):
        return {str(name): _plain(entry, f"{key}.{name}") for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, f"{key}.{i}") for i, entry in enumerate(value)]
    if value is None or isinstance(value, str | int | float):
        return value
    raise UserError(
        f"{key} is a {type(value).__name__}; an interpreter is rebuilt from a _target_, strings "
        "and numbers."
    )
