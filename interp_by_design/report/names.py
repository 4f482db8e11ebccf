"""`names.yaml` of a run folder: what a person reads in its attributes. Knows nothing of how names are shown.

The page writes the same form, so that a file downloaded from it can be put into the run folder as it is.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from interp_by_design.files import reading, write_text
from interp_by_design.terms import AttributeNames, UserError

NAMES = "names.yaml"
UNWRITABLE, NO_SIGNS = (
    {"Cc", "Cs", "Zl", "Zp"},
    "\ufffe\uffff",
)  # control signs, halves of signs, line breaks
MAX_LENGTH = 60  # characters of a name
HEAD = """\
# What a person reads in the attributes of this run: a reading, not a fact. One line for each attribute that has a name:
#   its number, a colon, and a name of at most 60 characters, in quotes. Attributes without a name need no line.
#   3: "closed loop"
# Everything that is drawn or written of this run from now on shows these names, always in quotes.
"""


def read_names(folder: Path, n_attributes: int | None = None) -> AttributeNames:
    """The names in `folder`; none where there is no file, or nothing in it.

    Raises `UserError` for a file that is not of the form that its head describes, for an attribute named twice, and, where
    `n_attributes` is given, for one that the run does not have.
    """
    file = folder / NAMES
    if not file.exists():
        return AttributeNames()
    with reading(
        file,
        'is no YAML. Each line is a number, a colon and a name in quotes, such as  3: "closed loop".',
    ):
        text = file.read_text(encoding="utf-8")
        content, as_written = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    if content is None:
        return AttributeNames()
    if not isinstance(content, dict):
        raise UserError(
            f'{file} holds {_kind(content)}, not names by attribute number. A line is such as  3: "closed loop".'
        )
    if len(as_written.value) > len(content):
        raise UserError(
            f"{file} names an attribute more than once, of which one name would be lost. Keep one line for each."
        )
    return AttributeNames(
        {
            _checked_number(file, key, n_attributes): _checked_name(file, key, content[key])
            for key in content
        }
    )


def write_names(folder: Path, names: AttributeNames, replace: bool = False) -> Path:
    """Writes the names to `folder`, and returns the file.

    Names that are there already, and differ, are a person's: `UserError` unless `replace`, which keeps them beside it, in
    `names.yaml.before`.
    """
    file = folder / NAMES
    checked = {
        _checked_number(file, key, None): _checked_name(file, key, name)
        for key, name in names.names.items()
    }
    if file.exists() and file.read_text(encoding="utf-8") != names_text(checked):
        if not replace:
            raise UserError(
                f"{file} is there, and a person may have written it. Give replace=True to keep it as {NAMES}.before."
            )
        write_text(file.with_name(f"{NAMES}.before"), file.read_text(encoding="utf-8"))
    write_text(file, names_text(checked))
    return file


def names_text(names: Mapping[int, str]) -> str:
    r"""The whole file: its head, and a line for each name in the order of their numbers.

    >>> print(names_text({3: 'a "loop"'}).splitlines()[-1])
    3: "a \"loop\""
    """
    return HEAD + "".join(
        f"{key}: {json.dumps(names[key], ensure_ascii=False)}\n" for key in sorted(names)
    )


def _checked_number(file: Path, key: Any, n_attributes: int | None) -> int:
    if not isinstance(key, int) or isinstance(key, bool) or key < 0:
        raise UserError(
            f"{file} names attribute {key!r}. Attributes have numbers: 0, 1, 2 and so on."
        )
    if n_attributes is not None and key >= n_attributes:
        raise UserError(
            f"{file} names attribute {key}, and this run has the attributes 0 to {n_attributes - 1}."
        )
    return key


def _checked_name(file: Path, key: Any, name: Any) -> str:
    if not isinstance(name, str):
        raise UserError(
            f"{file} gives attribute {key} {_kind(name)}, not a text. Put the name in quotes."
        )
    stripped = name.strip()
    if not stripped or any(
        unicodedata.category(sign) in UNWRITABLE or sign in NO_SIGNS for sign in stripped
    ):
        raise UserError(
            f"{file} gives attribute {key} an empty name, or one with line breaks or control signs."
        )
    if len(stripped) > MAX_LENGTH:
        raise UserError(
            f"{file} gives attribute {key} a name of {len(stripped)} characters; {MAX_LENGTH} is the most."
        )
    return stripped


def _kind(value: Any) -> str:
    return {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value), f"{value!r}")
