"""Result files as sections of the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pages import result_sections
from benchmarks.pages.goals_page import standing
from benchmarks.tracks import (
    Group,
)
from tests.benchmarks.invented_runs import (
    MACHINE,
    good,
    of,
    run,
)

FOUND: dict[str, Any] = {
    "title": "A title",
    "about": "What was\ndone.",
    "command": "python -m benchmarks.mine",
    "machine": MACHINE,
    "versions": {"torch": "2.15.0"},
    "date": "2026-01-31",
}


def test_a_file_with_a_title_makes_its_own_section() -> None:
    rows = [["a|b", 0.123456, None, [0.5, 0.01], True, 7], ["c", 1.0, "x", None, False, 0]]
    text = result_sections.titled(
        FOUND | {"columns": ["data", "share", "note", "mean", "yes", "count"], "rows": rows}
    )
    assert text.startswith(
        "## A title\n\n`python -m benchmarks.mine`: What was done. "
        "a processor, 2 threads of 2, torch 2.15.0, 2026-01-31."
    )
    assert "| a\\|b | 0.1235 |  | 0.5 ± 0.01 | yes | 7 |" in text
    assert "| c | 1 | x |  | no | 0 |" in text


def test_its_rows_may_be_objects_and_its_columns_formats() -> None:
    rows = [{"name": "a", "share": 0.5}, {"name": "b"}]
    assert "| a | 50.0% |\n| b |  |" in result_sections.titled(
        FOUND | {"columns": {"who": "{name}", "how": "{share:.1%}"}, "rows": rows}
    )
    assert "| 0.5 | a |\n|  | b |" in result_sections.titled(
        FOUND | {"columns": ["share", "name"], "rows": rows}
    )


def test_files_are_found_and_those_without_a_title_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_sections, "RESULTS", tmp_path)
    (tmp_path / "b.json").write_text(json.dumps(FOUND | {"columns": ["x"], "rows": [[1]]}))
    (tmp_path / "a.json").write_text(
        json.dumps(FOUND | {"title": "Before", "columns": ["x"], "rows": [[2]]})
    )
    (tmp_path / "runs.json").write_text(json.dumps({"mnist seed=0": run(0)}))
    (tmp_path / "untitled.json").write_text(json.dumps({"rows": []}))
    assert [text.splitlines()[0] for text in result_sections.sections()] == [
        "## Before",
        "## A title",
    ]


def test_a_group_can_be_added_with_options() -> None:
    group = Group("mnist attributes.k=4", "mnist", "free")
    groups = of(good(0, "mnist attributes.k=4"))
    assert standing(group, groups, {}).met == 12
