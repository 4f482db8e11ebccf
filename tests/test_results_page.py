"""The page of results says what the run folders say."""

from typing import Any

from benchmarks.results import between, page, short_table

MACHINE = {"processor": "a processor", "gpu": None, "threads": 2, "cores": 2}


def run(seed: int, fidelity: float) -> dict[str, Any]:
    return {
        "setting": "mnist",
        "seed": seed,
        "n_attributes": 25,
        "date": "2026-01-31",
        "revision": "abc",
        "machine": MACHINE,
        "versions": {"torch": "2.15.0"},
        "metrics": {"test/fidelity": fidelity, "test/dead_attributes": 1.0, "train/seconds": 10.0 * (seed + 1)},
    }


def test_a_row_is_mean_and_deviation_over_seeds_beside_the_papers_own() -> None:
    text = page({"mnist": [run(0, 0.98), run(1, 0.99)]})
    row = next(line for line in text.splitlines() if line.startswith("| `mnist` | 2 |"))
    assert "98.50 ± 0.71" in row
    assert "15 ± 7" in row
    assert "98.7 ± 0.1" in text
    assert "| 0, 1 | 2026-01-31 | abc | a processor, 2 threads of 2 | 2.15.0 |" in text


def test_one_seed_has_no_deviation_and_absent_scores_stay_empty() -> None:
    assert "| `mnist` | 1 |  |  | 98.00 |" in short_table({"mnist": [run(0, 0.98)]})


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    assert between("a <!\nold\n!> b", ("<!\n", "!>"), "new") == "a <!\nnew\n!> b"
