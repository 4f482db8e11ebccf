"""The scorecard of a run as the page shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from interp_by_design.metrics import GATES, SCORES, Gate, failed_gates
from interp_by_design.report.score_text import (
    ARROWS,
    CONTROL_NAMES,
    Controls,
    bound,
    controls_verdict,
    failed_keys,
    number,
    percent,
    scores_of,
)

SPLITS = ("val", "test")
MEANINGS = {score.key: score.meaning for score in SCORES}
DIRECTIONS = {score.key: score.direction for score in SCORES}

# (key, name, meaning) of the numbers that a reader sees first.
HEADLINES = (
    ("predictor_accuracy", "f is right", "share of images where the classifier decides the label"),
    (
        "interpreter_accuracy",
        "g is right",
        "share of images where the interpreter decides the label",
    ),
    ("fidelity", "fidelity", "share of images where g decides what f decides"),
    (
        "conciseness_abs@{tau:g}",
        "attributes shown",
        "for or against a decision, on the average image",
    ),
    (
        "sufficiency@{tau:g}",
        "sufficient",
        "share of images where the shown attributes alone decide as f does",
    ),
    (
        "within_class_explained",
        "beyond the class",
        "share of what differs between images of a class that the attributes describe",
    ),
)


@final
@dataclass(frozen=True)
class ScoreRow:
    """A line of the scorecard.

    Args:
        key: Key of the score, without prefix.
        arrow: The better direction.
        meaning: What the score measures.
        values: The score on each split as text, "" where it is absent.
        bound: Bound of its gate as text, "" where it has none.
        failed: Whether it is beyond its gate.
        controls: Score of each negative control as text, and whether that is beyond the gate.
    """

    key: str
    arrow: str
    meaning: str
    values: tuple[str, ...]
    bound: str
    failed: bool
    controls: tuple[tuple[str, bool], ...] = ()


@final
@dataclass(frozen=True)
class Headline:
    """A number that a reader sees first.

    Args:
        value: The number as text.
        name: What it is.
        meaning: What it measures.
        failed: Whether it is beyond its gate.
    """

    value: str
    name: str
    meaning: str
    failed: bool


@final
@dataclass(frozen=True)
class Scorecard:
    """The numbers of a run, with those beyond their gates marked.

    Args:
        splits: Columns.
        rows: One row for each score.
        headlines: Numbers that a reader sees first.
        verdict: Which gates are failed, in words.
        controls: Columns of the negative controls.
        comparison: The run against the negative controls, in words.
    """

    splits: tuple[str, ...]
    rows: tuple[ScoreRow, ...]
    headlines: tuple[Headline, ...]
    verdict: str
    controls: tuple[str, ...] = ()
    comparison: tuple[str, ...] = ()


def scorecard(
    scores: Mapping[str, float],
    n_attributes: int,
    tau: float,
    controls: Controls | None = None,
) -> Scorecard:
    """Format the scores of validation and test, judged by their gates on test.

    Scores that are a curve over τ are left out, unless they have a gate.

    Args:
        scores: Scores by keys such as `test/fidelity`.
        n_attributes: Number of attributes J.
        tau: The τ of the headlines.
        controls: Test scores of each negative control.

    Returns:
        The scorecard.
    """
    controls = (controls or {}) if scores else {}
    splits = tuple(split for split in SPLITS if scores_of(scores, split))
    judged = scores_of(scores, "test")
    failed = failed_gates(judged, n_attributes)
    gates = {gate.key: gate for gate in GATES}
    failed_by = {name: failed_keys(of, n_attributes) for name, of in controls.items()}
    rows = tuple(
        ScoreRow(
            key=key,
            arrow=ARROWS[DIRECTIONS.get(key)].strip(),
            meaning=MEANINGS.get(key, ""),
            values=tuple(_text(scores.get(f"{split}/{key}")) for split in splits),
            bound=bound(gates[key], n_attributes) if key in gates and key in judged else "",
            failed=key in {gate.key for gate in failed},
            controls=tuple(
                (_text(of.get(key)), key in failed_by[name]) for name, of in controls.items()
            ),
        )
        for key in _keys(scores, splits)
        if "@" not in key or key in gates
    )
    last = scores_of(scores, splits[-1]) if splits else {}
    return Scorecard(
        splits,
        rows,
        tuple(_headlines(last, failed, tau)),
        verdict(judged, failed, n_attributes),
        controls=tuple(CONTROL_NAMES.get(name, name) for name in controls),
        comparison=controls_verdict(scores, controls, n_attributes) if controls else (),
    )


def verdict(judged: Mapping[str, float], failed: Sequence[Gate], n_attributes: int) -> str:
    """Say which gates the test scores fail.

    Args:
        judged: Test scores by keys without prefix.
        failed: The failed gates.
        n_attributes: Number of attributes J.

    Returns:
        One sentence.
    """
    there = [gate for gate in GATES if gate.key in judged]
    if not there:
        return "There are no test scores to judge."
    if not failed:
        return f"None of the {len(there)} judged scores on test is beyond its gate."
    which = ", ".join(
        f"{gate.key} ({number(judged[gate.key])}, gate {bound(gate, n_attributes)})"
        for gate in failed
    )
    are = "is" if len(failed) == 1 else "are"
    return f"{len(failed)} of {len(there)} judged scores on test {are} beyond the gate: {which}."


def _headlines(
    scores: Mapping[str, float], failed: Sequence[Gate], tau: float
) -> Iterator[Headline]:
    for pattern, name, meaning in HEADLINES:
        key = pattern.format(tau=tau)
        if key in scores:
            value = f"{scores[key]:.2f}" if key.startswith("conciseness") else percent(scores[key])
            yield Headline(value, name, meaning, key in {gate.key for gate in failed})


def _keys(scores: Mapping[str, float], splits: Sequence[str]) -> list[str]:
    """Keys in the order of the scorecard, then those that a run added."""
    there = {key.partition("/")[2] for key in scores if key.partition("/")[0] in splits}
    return [key for key in MEANINGS if key in there] + sorted(there - MEANINGS.keys())


def _text(value: float | None) -> str:
    return "" if value is None else number(value)
