"""The numbers of a run as the page shows them: scorecard, headlines, curves. Does not know how a number is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from interp_by_design.metrics import GATES, SCORES, Gate, failed_gates
from interp_by_design.report.history import History
from interp_by_design.report.page.content import Chart, Curve, Headline, Scorecard, ScoreRow
from interp_by_design.report.scorecard_table import (
    ARROWS,
    CONTROL_NAMES,
    controls_verdict,
    failed_keys,
    number,
)

SPLITS = ("val", "test")
MEANINGS = {score.key: score.meaning for score in SCORES}
DIRECTIONS = {score.key: score.direction for score in SCORES}
AXIS = "τ (an attribute is shown where |r| > 1/τ)"
MOST_POINTS = 300  # of a curve: more than a screen can tell apart

# What a reader should see first, and in plain words.
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
        "share of the image that the class leaves open and the attributes tell",
    ),
)


def scorecard(
    scores: Mapping[str, float],
    n_attributes: int,
    tau: float,
    controls: Mapping[str, Mapping[str, float]] | None = None,
) -> Scorecard:
    """The scores of validation and test that are no curve over τ, and those that gates are held to; judged on test.

    Beside them, where there are `controls`, what each of these scores on test.
    """
    controls = (controls or {}) if scores else {}
    beside = {name: failed_keys(of, n_attributes) for name, of in controls.items()}
    splits = tuple(split for split in SPLITS if any(key.startswith(f"{split}/") for key in scores))
    judged = _of(scores, "test") if "test" in splits else {}
    failed = failed_gates(judged, n_attributes)
    gates = {gate.key: gate for gate in GATES}
    rows = tuple(
        ScoreRow(
            key=key,
            arrow=ARROWS[DIRECTIONS.get(key)].strip(),
            meaning=MEANINGS.get(key, ""),
            values=tuple(
                number(value) if (value := scores.get(f"{split}/{key}")) is not None else ""
                for split in splits
            ),
            bound=bound(gates[key], n_attributes) if key in gates and key in judged else "",
            failed=key in {gate.key for gate in failed},
            controls=tuple(
                (number(of[key]) if key in of else "", key in beside[name])
                for name, of in controls.items()
            ),
        )
        for key in _keys(scores, splits)
        if "@" not in key or key in gates
    )
    shown = _of(scores, splits[-1]) if splits else {}
    return Scorecard(
        splits,
        rows,
        tuple(_headlines(shown, failed, tau)),
        verdict(judged, failed, n_attributes),
        controls=tuple(CONTROL_NAMES.get(name, name) for name in controls),
        beside=controls_verdict(scores, controls, n_attributes) if controls else (),
    )


def verdict(judged: Mapping[str, float], failed: Sequence[Gate], n_attributes: int) -> str:
    """One sentence on which gates the test scores fail."""
    there = [gate for gate in GATES if gate.key in judged]
    if not there:
        return "There are no test scores that could be judged."
    if not failed:
        return f"None of the {len(there)} judged scores on test is beyond its gate."
    told = ", ".join(
        f"{gate.key} ({number(judged[gate.key])}, gate {bound(gate, n_attributes)})"
        for gate in failed
    )
    return f"{len(failed)} of {len(there)} judged scores on test {'is' if len(failed) == 1 else 'are'} beyond the gate: {told}."


def bound(gate: Gate, n_attributes: int) -> str:
    """What a gate asks for.

    >>> bound(Gate("fidelity", 0.97, "up"), 25)
    '≥ 0.97'
    """
    return f"{'≥' if gate.direction == 'up' else '≤'} {gate.limit(n_attributes):g}"


def charts(scores: Mapping[str, float], history: History) -> tuple[Chart, ...]:
    """Curves over τ of the last split there is, then those of training."""
    return (*_tau_charts(scores), *_history_charts(history))


def _tau_charts(scores: Mapping[str, float]) -> Iterator[Chart]:
    split = next(
        (
            split
            for split in reversed(SPLITS)
            if any(key.startswith(f"{split}/") and "@" in key for key in scores)
        ),
        None,
    )
    if split is None:
        return
    curves: dict[str, dict[float, float]] = {}
    for key, value in _of(scores, split).items():
        name, _, tau = key.partition("@")
        if tau:
            curves.setdefault(name, {})[float(tau)] = value
    told = {
        name: Curve(name, *zip(*sorted(points.items()), strict=True))
        for name, points in curves.items()
    }
    counts = [told.pop(name) for name in ("conciseness", "conciseness_abs") if name in told]
    if counts:
        meaning = "Mean number of attributes with r > 1/τ (conciseness), and with |r| > 1/τ (conciseness_abs): evidence against counts."
        yield Chart(
            f"How many attributes an explanation shows, on {split}",
            meaning,
            AXIS,
            "attributes",
            tuple(counts),
        )
    if told:
        meaning = "sufficiency: how often the shown attributes alone decide as f. left_out: share of the evidence that is not shown."
        yield Chart(
            f"Whether what is shown is enough, on {split}",
            meaning,
            AXIS,
            "share",
            tuple(told.values()),
        )


def _history_charts(history: History) -> Iterator[Chart]:
    curves = {key: _thinned(key, *history[key]) for key in history}
    losses = tuple(curve for key, curve in curves.items() if key.startswith("train/"))
    if losses:
        yield Chart(
            "Losses while training",
            "Each term before its weight; loss is their weighted sum.",
            "step",
            "loss",
            losses,
        )
    agreement = [
        key
        for key in curves
        if key.startswith("val/") and any(word in key for word in ("accuracy", "fidelity"))
    ]
    if agreement:
        yield Chart(
            "Accuracy and fidelity while training",
            "On validation.",
            "step",
            "share",
            tuple(curves[key] for key in agreement),
        )
    for key, curve in curves.items():
        if key.startswith("val/") and key not in agreement:
            meaning = MEANINGS.get(key.removeprefix("val/"), "")
            yield Chart(
                f"{curve.name} while training",
                f"On validation: {meaning}." if meaning else "On validation.",
                "step",
                "",
                (curve,),
            )


def _thinned(key: str, steps: Sequence[int], values: Sequence[float]) -> Curve:
    """Of a long curve every k-th point, the last one among them."""
    every = -(-len(steps) // MOST_POINTS)
    first = (len(steps) - 1) % every
    rounded = tuple(float(f"{value:.5g}") for value in values[first::every])
    return Curve(key.partition("/")[2] or key, tuple(steps[first::every]), rounded)


def _headlines(
    scores: Mapping[str, float], failed: Sequence[Gate], tau: float
) -> Iterator[Headline]:
    for pattern, name, meaning in HEADLINES:
        key = pattern.format(tau=tau)
        if key in scores:
            value = f"{scores[key]:.2f}" if key.startswith("conciseness") else percent(scores[key])
            yield Headline(value, name, meaning, key in {gate.key for gate in failed})


def percent(share: float) -> str:
    """A share, in words that do not round up to all.

    >>> percent(0.9948), percent(1.0), percent(0.99999)
    ('99.5 %', '100 %', '> 99.9 %')
    """
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def _keys(scores: Mapping[str, float], splits: Sequence[str]) -> list[str]:
    """Those of the scorecard in its order, then others that a run added."""
    there = {key.partition("/")[2] for key in scores if key.partition("/")[0] in splits}
    return [key for key in MEANINGS if key in there] + sorted(there - MEANINGS.keys())


def _of(scores: Mapping[str, float], split: str) -> dict[str, float]:
    return {
        key.removeprefix(f"{split}/"): value
        for key, value in scores.items()
        if key.startswith(f"{split}/")
    }
