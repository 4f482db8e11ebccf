"""Comparison of runs: differing options, best scores, means, and their display."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from interp_by_design.report.comparison import console as comparison_table
from interp_by_design.report.comparison.console import show, write_csv
from interp_by_design.report.comparison.html_page import page
from interp_by_design.report.comparison.table import Comparison, RunRecord, compare

BASE = {
    "seed": 0,
    "attributes.k": 3,
    "predictor.hidden_layers": ["conv2", "fc1"],
    "folder": "somewhere",
    "logger.csv.name": "",
}


def record(name: str, scores: dict[str, float] | None, **options: object) -> RunRecord:
    return RunRecord(
        name,
        BASE | {"folder": name} | {key.replace("__", "."): value for key, value in options.items()},
        scores,
    )


def scores(fidelity: float, kl: float = 1.0, seconds: float = 9.0) -> dict[str, float]:
    return {"train/seconds": seconds, "val/kl": kl, "test/kl": kl, "test/fidelity": fidelity}


def shown(comparison: Comparison, width: int = 200) -> str:
    screen = StringIO()
    show(comparison, Console(file=screen, width=width, force_terminal=True, color_system=None))
    return screen.getvalue()


def row(text: str, name: str) -> str:
    return next(" ".join(line.split()) for line in text.splitlines() if line.startswith(name))


def test_only_options_that_differ_are_shown_and_the_seed_last() -> None:
    found = compare(
        [
            record("a", scores(1)),
            record("b", scores(1), seed=1, attributes__k=4, logger__csv__name="x"),
        ]
    )
    assert found.options == ("attributes.k", "seed")
    assert [run.options for run in found.runs] == [("3", "0"), ("4", "1")]


def test_an_option_that_one_run_does_not_have_differs() -> None:
    found = compare(
        [
            record("a", scores(1)),
            record("b", scores(1), more=None),
            record("c", scores(1), more=["x", 1]),
        ]
    )
    assert found.options == ("more",)
    assert [run.options for run in found.runs] == [("-",), ("null",), ("[x, 1]",)]


def test_main_numbers_come_first_and_the_scorecards_order_holds() -> None:
    found = compare([record("a", scores(1) | {"own/number": 1.0})])
    assert found.scores == ("test/fidelity", "train/seconds", "test/kl", "val/kl", "own/number")
    assert found.main.scores == ("test/fidelity", "train/seconds")
    assert [cell.value for cell in found.main.runs[0].cells] == [1, 9]


def test_the_best_is_marked_where_better_is_known_and_ties_both() -> None:
    found = compare(
        [
            record("a", scores(0.9, kl=2)),
            record("b", scores(0.9, kl=1)),
            record("c", scores(0.8, kl=3)),
            record("d", None),
        ]
    )
    best = {
        key: [run.cells[place].is_best for run in found.runs]
        for place, key in enumerate(found.scores)
    }
    assert best == {
        "test/fidelity": [True, True, False, False],
        "test/kl": [False, True, False, False],
        "val/kl": [False, True, False, False],
        "train/seconds": [False, False, False, False],
    }


def test_a_number_that_one_run_alone_has_is_no_best() -> None:
    found = compare([record("a", scores(0.9)), record("b", None)])
    assert not any(cell.is_best for run in found.runs for cell in run.cells)


def test_runs_that_differ_in_the_seed_alone_are_averaged() -> None:
    found = compare(
        [
            record("a", scores(0.7), seed=0),
            record("b", scores(0.9), seed=1),
            record("c", None, seed=2),
            record("d", scores(0.5), seed=0, attributes__k=4),
            record("e", scores(0.6), seed=0, attributes__k=5),
            record("f", scores(0.6), seed=1, attributes__k=5),
        ]
    )
    assert [mean.name for mean in found.means] == ["mean of 2 like a", "mean of 2 like e"]
    assert [mean.options for mean in found.means] == [("3", "0, 1"), ("5", "0, 1")]
    cell = found.means[0].cells[found.scores.index("test/fidelity")]
    assert (cell.value, cell.deviation) == (pytest.approx(0.8), pytest.approx(0.1 * 2**0.5))
    assert cell.is_best
    assert not found.means[1].cells[0].is_best


def test_the_same_run_twice_is_no_repetition() -> None:
    assert compare([record("a", scores(1)), record("b", scores(1))]).means == ()


def test_the_screen_marks_the_best_and_the_unfinished() -> None:
    text = shown(
        compare(
            [record("a", scores(0.9)), record("b", scores(0.8), attributes__k=4), record("c", None)]
        )
    )
    assert row(text, "a") == "a 3 *0.9000 9 1 1"
    assert row(text, "b") == "b 4 0.8000 9 1 1"
    assert row(text, "c") == "c unfinished 3 - - - -"


def test_a_mean_is_shown_with_its_deviation() -> None:
    assert "0.8000 ± 0.1414" in row(
        shown(compare([record("a", scores(0.7)), record("b", scores(0.9), seed=1)])), "mean of 2"
    )


def test_a_narrow_screen_loses_no_column_and_no_name() -> None:
    found = compare([record("first", scores(0.9)), record("second", scores(0.8), attributes__k=4)])
    narrow = shown(found, width=30)
    assert narrow.count("first") > 1
    for piece in ("fidelity", "seconds", "attributes.k", "0.8000"):
        assert piece in narrow
    assert all(len(line) <= 30 for line in narrow.splitlines()[:-3])


def test_no_number_and_no_difference_still_names_the_runs() -> None:
    assert "a unfinished" in shown(compare([record("a", None), record("b", None)]))


def test_markup_in_names_and_options_is_text() -> None:
    text = shown(
        compare([record("[bold]a", scores(1)), record("b", scores(1), attributes__k="[/red]")])
    )
    assert "[bold]a" in text
    assert "[/red]" in text


def test_the_file_of_values_holds_everything_in_full(tmp_path: Path) -> None:
    runs = [
        record("a", scores(1 / 3)),
        record("b", scores(2 / 3), seed=1),
        record("c", None, seed=2),
    ]
    write_csv(compare(runs), tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["row"] for line in lines] == ["run", "run", "run", "mean", "std"]
    assert [line["finished"] for line in lines] == ["True", "True", "False", "True", "True"]
    assert float(lines[0]["test/fidelity"]) == 1 / 3
    assert lines[2]["test/fidelity"] == ""
    assert float(lines[3]["test/fidelity"]) == pytest.approx(0.5)
    assert set(lines[0]) >= {"seed", "test/kl", "val/kl", "train/seconds"}


def test_the_page_runs_nothing_that_a_run_brings_along() -> None:
    bad = '<script>alert("1")</script>'
    text = page(
        compare(
            [
                record(bad, scores(1) | {bad: 1.0}),
                record("b", scores(1), attributes__k=f'" onclick="{bad}'),
            ]
        )
    )
    assert text.count("<script>") == 1, "the page's own"
    assert "&lt;script&gt;alert(&quot;1&quot;)" in text
    assert 'onclick="<' not in text
    assert '" onclick' not in text


def test_the_page_needs_nothing_but_itself() -> None:
    text = page(
        compare([record("a", scores(1)), record("b", None), record("c", scores(0.5), seed=1)])
    )
    assert not [
        word for word in ("http:", "https:", "src=", "<link", "@import", "url(") if word in text
    ]
    assert "prefers-color-scheme: dark" in text
    assert "unfinished" in text
    assert '<td class="number best" data-value="1.0">1</td>' in text
    assert '<td class="number more" data-value="">-</td>' in text, (
        "hidden until all numbers are asked for"
    )
    assert "mean of 2 like a" in text
    assert "$" not in text


def test_a_run_alone_is_shown_too() -> None:
    assert "1 run compared" in page(compare([record("a", scores(1))]))
    assert comparison_table.MAX_WIDTH > 40, "the name of a run folder with its date fits"
