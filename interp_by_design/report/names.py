"""Names that a person gives to attributes: `names.yaml` of a run folder.

The report page writes the same form, so that a file downloaded from it can be put into the run
folder unchanged.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from interp_by_design.files import reporting_damage, write_text
from interp_by_design.terms import AttributeNames, UserError

NAMES = "names.yaml"
FORBIDDEN_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}  # Unicode: controls, surrogates, line breaks
FORBIDDEN_CHARACTERS = "\ufffe\uffff"  # no characters
MAX_LENGTH = 60  # characters of a name
HEAD = """\
# Names that a person gives to the attributes of this run: an interpretation, not a fact.
# One line for each attribute that has a name: its number, a colon, and a name of at most 60
# characters, in quotes. Attributes without a name need no line.
#   3: "closed loop"
# Every later figure, table and report of this run shows these names, always in quotes.
"""


def read_names(folder: Path, n_attributes: int | None = None) -> AttributeNames:
    """Read the names in a run folder.

    Args:
        folder: The run folder.
        n_attributes: Number of attributes J of the run; None for no check.

    Returns:
        The names; none where the file is missing or empty.

    Raises:
        UserError: The file is not of the form that its head describes, names an attribute
            twice, or names one that the run does not have.
    """
    file = folder / NAMES
    if not file.exists():
        return AttributeNames()
    with reporting_damage(
        file,
        "is not YAML. Each line is a number, a colon and a name in quotes, such as  "
        '3: "closed loop".',
    ):
        text = file.read_text(encoding="utf-8")
        content, as_written = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    if content is None:
        return AttributeNames()
    if not isinstance(content, dict):
        raise UserError(
            f"{file} holds {_kind(content)}, not names by attribute number. Write lines such as  "
            '3: "closed loop".'
        )
    if len(as_written.value) > len(content):
        raise UserError(
            f"{file} names an attribute more than once. Keep one line for each attribute."
        )
    return AttributeNames(
        {
            _checked_number(file, key, n_attributes): _checked_name(file, key, content[key])
            for key in content
        }
    )


def write_names(folder: Path, names: AttributeNames, replace: bool = False) -> Path:
    """Write names to a run folder; a file that holds the same names is left unchanged.

    Args:
        folder: The run folder.
        names: The names.
        replace: Whether to replace other names, which are kept in `names.yaml.before`.

    Returns:
        Path of the file.

    Raises:
        UserError: The folder has other names, and `replace` is False.
    """
    file = folder / NAMES
    checked = {
        _checked_number(file, key, None): _checked_name(file, key, name)
        for key, name in names.names.items()
    }
    if file.exists():
        if _holds(folder, checked):
            return file
        if not replace:
            raise UserError(
                f"{file} exists, and a person may have written it. Give replace=True to keep it "
                f"as {NAMES}.before."
            )
        write_text(file.with_name(f"{NAMES}.before"), file.read_text(encoding="utf-8"))
    write_text(file, names_text(checked))
    return file


def names_text(names: Mapping[int, str]) -> str:
    r"""Return the whole file: its head, and a line for each name in the order of numbers.

    Args:
        names: Names by attribute.

    Returns:
        YAML.

    >>> print(names_text({3: 'a "loop"'}).splitlines()[-1])
    3: "a \"loop\""
    """
    return HEAD + "".join(
        f"{key}: {json.dumps(names[key], ensure_ascii=False)}\n" for key in sorted(names)
    )


def _holds(folder: Path, names: Mapping[int, str]) -> bool:
    try:
        return read_names(folder).names == names
    except UserError:  # a damaged file, which may be a person's as well
        return False


def _checked_number(file: Path, key: Any, n_attributes: int | None) -> int:
    if not isinstance(key, int) or isinstance(key, bool) or key < 0:
        raise UserError(
            f"{file} names attribute {key!r}. Attributes have numbers: 0, 1, 2 and so on."
        )
    if n_attributes is not None and key >= n_attributes:
        raise UserError(
            f"{file} names attribute {key}, and this run has the attributes 0 to "
            f"{n_attributes - 1}."
        )
    return key


def _checked_name(file: Path, key: Any, name: Any) -> str:
    if not isinstance(name, str):
        raise UserError(
            f"{file} gives attribute {key} {_kind(name)}, not a text. Put the name in quotes."
        )
    stripped = name.strip()
    if not stripped or any(map(_is_forbidden, stripped)):
        raise UserError(
            f"{file} gives attribute {key} an empty name, or one with line breaks or control "
            "characters."
        )
    if len(stripped) > MAX_LENGTH:
        raise UserError(
            f"{file} gives attribute {key} a name of {len(stripped)} characters; at most "
            f"{MAX_LENGTH} are allowed."
        )
    return stripped


def _is_forbidden(character: str) -> bool:
    return (
        unicodedata.category(character) in FORBIDDEN_CATEGORIES or character in FORBIDDEN_CHARACTERS
    )


def _kind(value: Any) -> str:
    return {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value), f"{value!r}")
