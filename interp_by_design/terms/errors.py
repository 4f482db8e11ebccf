"""Errors for the user, and checks of single values."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable


class UserError(ValueError):
    """Something that the user gave cannot be used: what came, what was wanted, what to do."""


class UnknownName(UserError, LookupError):
    """A name that is not among the known ones."""

    @classmethod
    def among(cls, what: str, name: str, known: Iterable[str], owner: str = "") -> UnknownName:
        """Return the error for `name`, with the known names and the nearest of them.

        Args:
            what: What the name is of.
            name: The unknown name.
            known: The known names.
            owner: What has the known names.

        >>> print(UnknownName.among("layer", "conv9", ["conv1", "fc1"], owner="LeNet"))
        No layer 'conv9' in LeNet. Known: conv1, fc1. Did you mean 'conv1'?
        """
        names = list(known)
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
        place = f" in {owner}" if owner else ""
        return cls(f"No {what} '{name}'{place}. Known: {', '.join(names) or 'none'}.{hint}")


def check_whole(name: str, value: object, minimum: int, maximum: int | None = None) -> int:
    """Return `value` if it is a whole number within the bounds.

    Args:
        name: what the user calls the value, such as the option's name; the message begins with it.
        value: the value to check; a bool is no number.
        minimum: the smallest value allowed.
        maximum: the largest value allowed; None for no bound.

    Returns:
        `value` itself.

    Raises:
        UserError: if `value` is not an int, or lies outside the bounds.

    >>> check_whole("epochs", 0, minimum=1)
    Traceback (most recent call last):
    interp_by_design.terms.errors.UserError: epochs must be a whole number of at least 1, not 0.
    """
    bounds = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < minimum
        or (maximum is not None and value > maximum)
    ):
        raise UserError(f"{name} must be a whole number {bounds}, not {value!r}.")
    return value


def check_weight(name: str, value: object) -> float:
    """Return `value` if it can weigh a term of an objective: a finite number that is not negative.

    Args:
        name: the name of the weight, for the message.
        value: the value to check; a bool is no number.

    Returns:
        `value` as a float.

    Raises:
        UserError: if `value` is no number, is negative, infinite or NaN.

    >>> check_weight("beta", 1)
    1.0
    """
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not math.isfinite(value)
        or value < 0
    ):
        raise UserError(
            f"The weight {name} must be a finite number >= 0, not {value!r}; "
            "0 switches its term off."
        )
    return float(value)
