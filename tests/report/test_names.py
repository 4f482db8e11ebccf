"""names.yaml: names survive the file, and invalid ones are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from interp_by_design.report.names import MAX_LENGTH, NAMES, names_text, read_names, write_names
from interp_by_design.terms import AttributeNames, UserError

signs = st.characters(
    exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"], exclude_characters="\ufffe\uffff"
)
printable = st.text(signs, min_size=1, max_size=MAX_LENGTH)


def test_a_folder_without_names_has_none(tmp_path: Path) -> None:
    assert read_names(tmp_path) == AttributeNames({})
    (tmp_path / NAMES).write_text("# a comment alone\n")
    assert read_names(tmp_path) == AttributeNames({})


def test_a_person_needs_no_quotes(tmp_path: Path) -> None:
    (tmp_path / NAMES).write_text("3: closed loop\n0: 'left stroke '\n")
    assert read_names(tmp_path, 4).names == {3: "closed loop", 0: "left stroke"}


@given(st.dictionaries(st.integers(0, 999), printable))
def test_any_name_survives_the_file(names: dict[int, str]) -> None:
    assert (yaml.safe_load(names_text(names)) or {}) == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7: loop", "attribute 7, and this run has the attributes 0 to 4"),
        ("-1: loop", "names attribute -1"),
        ("loop: 3", "names attribute 'loop'"),
        ("true: loop", "names attribute True"),
        ("1: 3", "attribute 1 3, not a text"),
        ("1: [loop]", "attribute 1 a list, not a text"),
        ("1:", "attribute 1 nothing, not a text"),
        ("1: ''", "empty name"),
        ('1: "a\\nb"', "line breaks or control characters"),
        (f"1: {'x' * 61}", "61 characters; at most 60 are allowed"),
        ("1: loop\n1: hook", "names an attribute more than once"),
        ("- loop", "holds a list"),
        ("1: [", "is not YAML"),
        ("1: !!python/object/apply:os.system [ls]", "is not YAML"),
    ],
)
def test_invalid_names_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / NAMES).write_text(text)
    with pytest.raises(UserError, match=f"{NAMES} .*{re.escape(message)}"):
        read_names(tmp_path, 5)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / NAMES).write_bytes(b"1: \xff\xfe")
    with pytest.raises(UserError, match=NAMES):
        read_names(tmp_path)


def test_what_a_person_wrote_is_never_lost(tmp_path: Path) -> None:
    write_names(tmp_path, AttributeNames({1: "loop"}))
    assert read_names(tmp_path).names == {1: "loop"}
    (tmp_path / NAMES).write_text("# mine\n1: loop\n")
    write_names(tmp_path, AttributeNames({1: "loop"}))  # the same names
    assert (tmp_path / NAMES).read_text() == "# mine\n1: loop\n"
    (tmp_path / NAMES).write_text("1: by hand")
    with pytest.raises(UserError, match="a person may have written it"):
        write_names(tmp_path, AttributeNames({2: "other"}))
    assert read_names(tmp_path).names == {1: "by hand"}
    write_names(tmp_path, AttributeNames({2: "other"}), replace=True)
    assert read_names(tmp_path).names == {2: "other"}
    assert (tmp_path / "names.yaml.before").read_text() == "1: by hand"


def test_an_invalid_name_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="61 characters"):
        write_names(tmp_path, AttributeNames({1: "x" * 61}))
    assert not (tmp_path / NAMES).exists()
