"""The short form of the results, between its marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pages import short_form
from benchmarks.pages.short_form import MISSES, TABLE, between, short_table, written
from tests.benchmarks.invented_runs import (
    good,
    of,
    run,
)


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    assert between("a <!\nold\n!> b", ("<!\n", "!>"), "new") == "a <!\nnew\n!> b"


@pytest.mark.parametrize(
    "text", ["no marks", "only <!\n the first", "only !> the second", "!> the wrong way <!\n"]
)
def test_without_its_marks_a_text_stays(text: str) -> None:
    assert between(text, ("<!\n", "!>"), "new") == text


def test_the_readme_gets_its_table_and_its_misses() -> None:
    groups = of(good(0, within_class_explained=0.1))
    readme = f"# Title\n{TABLE[0]}{TABLE[1]}\nbetween\n{MISSES[0]}old{MISSES[1]}\nend"
    text = written(readme, groups, {})
    assert text.startswith("# Title\n")
    assert text.endswith(f"{MISSES[1]}\nend")
    assert "old" not in text
    assert "| `mnist` | 1 |" in text
    assert "| 11 of 15, 3 not measured |" in text
    assert "- MNIST, `mnist`: within_class_explained 0.100 (goal ≥ 0.35)." in text
    assert written(text, groups, {}) == text


def test_the_short_form_leaves_out_controls_options_and_the_papers_track() -> None:
    table = short_table(
        of(run(0), run(0, setting="mnist_paper"), run(0, setting="mnist attributes.k=4")), {}
    )
    assert "mnist_paper" not in table
    assert "attributes.k" not in table


def test_every_page_with_marks_gets_its_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = tuple(tmp_path / name for name in ("README.md", "scorecard.md", "absent.md"))
    monkeypatch.setattr(short_form, "PAGES", pages)
    pages[0].write_text(f"{TABLE[0]}{TABLE[1]}\n")
    pages[1].write_text("no marks\n")
    assert short_form.write_short_forms(of(good(0)), {}) == ["README.md"]
    assert "| `mnist` | 1 |" in pages[0].read_text()
    assert pages[1].read_text() == "no marks\n"
