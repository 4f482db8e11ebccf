import re
from io import StringIO

from rich.console import Console

from interp_by_design.report.page.scorecard import scorecard
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


CONTROLS = {
    "relabelled": {
        "fidelity": 1.0,
        "fidelity_hard": 1.0,
        "conciseness_abs@1.5": 2.0,
        "conciseness_abs@5": 6.0,
        "kl": 0.5,
    },
    "frozen_random": {
        "fidelity": 0.6,
        "fidelity_hard": 0.3,
        "dead_attributes": 4.0,
        "conciseness_abs@5": 2.0,
    },
}


def shown(
    scores: dict[str, float],
    n_attributes: int = 10,
    width: int = 120,
    controls: dict[str, dict[str, float]] | None = None,
    terminal: bool = False,
) -> str:
    screen = StringIO()
    show(
        scores,
        n_attributes,
        Console(file=screen, width=width, force_terminal=terminal, no_color=True),
        controls,
    )
    return screen.getvalue()


def row(text: str, name: str) -> list[str]:
    return next(line for line in text.splitlines() if name in line).split()


def test_values_follow_an_arrow_of_the_better_direction() -> None:
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
    assert (
        "Beyond its gate on test: fidelity_hard (at least 0.7), dead_attributes (at most 0)" in text
    )


def test_a_clean_card_says_so_and_absent_scores_leave_no_row() -> None:
    text = shown({"val/fidelity": 0.99, "test/fidelity": 0.99})
    assert "No score on test is beyond its gate" in text
    assert "kl" not in text


def test_controls_have_columns_with_marks_beyond_a_gate() -> None:
    text = shown(SCORES, controls=CONTROLS)
    assert row(text, "↑ fidelity ")[:6] == ["↑", "fidelity", "0.9900", "0.9876", "1", "0.6000"]
    assert row(text, "↑ fidelity ")[6] == "✗"
    assert row(text, "fidelity_hard")[:8] == [
        "↑",
        "fidelity_hard",
        "-",
        "0.5000",
        "BAD",
        "1",
        "0.3000",
        "✗",
    ]
    assert row(text, "dead_attributes")[:7] == [
        "↓",
        "dead_attributes",
        "-",
        "3",
        "BAD",
        "-",
        "4",
    ], "one of them has no such score"
    curve = text[text.index("conciseness_abs") :].splitlines()
    assert curve[1].split() == ["relabelled", "2", "6", "✗"]
    assert curve[2].split() == ["random", "Ψ", "-", "2"]
    assert "kl" not in text, "a score that the run does not have"


def test_the_verdict_names_failed_gates_of_controls_and_better_scores() -> None:
    text = " ".join(shown(SCORES, controls=CONTROLS).split())
    assert (
        "The relabelled control fails 1 gate: conciseness_abs@5; the random Ψ control fails "
        "3 gates: fidelity, fidelity_hard, dead_attributes." in text
    )
    assert "Warning: relabelled should fail at least 2 gates" in text
    assert (
        "Better than the controls in dead_attributes; in any other score a control is as good."
        in text
    )
    enough = {"relabelled": CONTROLS["frozen_random"], "frozen_random": CONTROLS["frozen_random"]}
    assert "Warning" not in shown(SCORES, controls=enough)
    none = " ".join(shown({"test/kl": 0.5}, controls={"relabelled": {"kl": 0.5}}).split())
    assert "The relabelled control fails no gate." in none
    assert "Warning: relabelled should fail" in none
    assert "In every score a control is as good as this run." in none


def test_without_controls_nothing_is_said_of_them() -> None:
    text = shown(SCORES)
    assert not any(word in text for word in ("control", "relabelled", "random Ψ"))


def test_the_table_fits_narrow_and_wide_screens() -> None:
    for width in (80, 130):
        text = shown(SCORES, width=width, controls=CONTROLS, terminal=True)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
        assert max(map(len, lines)) <= width
        assert len([line for line in lines if "↓ dead_attributes" in line]) == 1
        assert row("\n".join(lines), "fidelity_hard")[:7] == [
            "↑",
            "fidelity_hard",
            "-",
            "0.5000",
            "BAD",
            "1",
            "0.3000",
        ]
    assert "active on less than" in shown(SCORES, width=130, controls=CONTROLS, terminal=True)
    assert "active on" not in shown(SCORES, width=80, controls=CONTROLS, terminal=True), (
        "the words would stand one to a line"
    )


def test_the_page_has_the_same_columns_and_words() -> None:
    card = scorecard(SCORES, 10, 5.0, CONTROLS)
    assert card.controls == ("relabelled", "random Ψ")
    rows = {line.key: line.controls for line in card.rows}
    assert rows["fidelity"] == (("1", False), ("0.6000", True))
    assert rows["dead_attributes"] == (("", False), ("4", True))
    assert card.comparison[0].startswith("The relabelled control fails 1 gate")
    without = scorecard(SCORES, 10, 5.0)
    assert without.controls == without.comparison == ()
    assert scorecard({}, 10, 5.0, CONTROLS).controls == ()
