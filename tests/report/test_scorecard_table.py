from io import StringIO

from rich.console import Console

from interp_by_design.report.scorecard_table import show

SCORES = {
    "val/fidelity": 0.99,
    "test/fidelity": 0.9876,
    "test/fidelity_hard": 0.5,
    "test/dead_attributes": 3.0,
    "test/exclusive_attributes": 2.0,
    "test/conciseness_abs@1.5": 1.25,
    "test/conciseness_abs@5": 2.5,
    "train/seconds": 61.0,
    "train/images_per_second": 12_345.6,
}


def shown(scores: dict[str, float], n_attributes: int = 10, width: int = 120) -> str:
    screen = StringIO()
    show(scores, n_attributes, Console(file=screen, width=width))
    return screen.getvalue()


def row(text: str, name: str) -> list[str]:
    return next(line for line in text.splitlines() if name in line).split()


def test_values_stand_beside_an_arrow_to_where_better_is() -> None:
    text = shown(SCORES)
    assert row(text, "fidelity ")[:4] == ["↑", "fidelity", "0.9900", "0.9876"]
    assert row(text, "dead_attributes")[:4] == ["↓", "dead_attributes", "-", "3"]
    assert row(text, "conciseness_abs") == ["↓", "conciseness_abs", "1.25", "2.50"]
    assert "12,346 images a second" in text


def test_what_is_beyond_its_gate_is_flagged_and_named_with_the_bound() -> None:
    text = shown(SCORES)
    assert "BAD" in row(text, "dead_attributes")
    assert "BAD" in row(text, "fidelity_hard")
    assert "BAD" not in row(text, "exclusive_attributes"), "2 of 10 is the share that is allowed"
    assert "BAD" in row(shown(SCORES, n_attributes=9), "exclusive_attributes")
    assert "Beyond its gate on test: fidelity_hard (at least 0.7), dead_attributes (at most 0)" in text


def test_a_clean_card_says_so_and_absent_scores_leave_no_row() -> None:
    text = shown({"val/fidelity": 0.99, "test/fidelity": 0.99})
    assert "No score on test is beyond its gate" in text
    assert "kl" not in text
