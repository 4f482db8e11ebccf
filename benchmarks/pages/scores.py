"""The scores of a setting: means over seeds, differences to f alone, its controls' gates."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.pages.published import Figure
from benchmarks.record import RESULTS
from benchmarks.runs import Groups, Run, interval, paired, spread, values
from benchmarks.tracks import CONTROLS, bare, with_options
from interp_by_design.metrics import failed_gates

SEEDS = RESULTS / "seeds.json"  # written by benchmarks.series
# By setting: stability_seeds, stability_seeds_random.
Stability = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Shown:
    """The format of a score.

    Args:
        title: its name.
        digits: digits after the point.
        scale: the factor from the score to its unit.
        unit: the unit; empty for a bare number.
    """

    title: str
    digits: int
    scale: float = 1.0
    unit: str = ""

    @property
    def heading(self) -> str:
        """Name and unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    @property
    def after(self) -> str:
        """The unit as it stands behind a number in a sentence; empty for most scores."""
        return next((f" {unit}" for unit in ("%", "points") if self.unit.startswith(unit)), "")

    def number(self, value: float, sign: bool = False) -> str:
        """Return a value in the unit of the table.

        Args:
            value: the score.
            sign: whether to write the sign of a positive value.
        """
        return f"{self.scale * value:{'+' if sign else ''}.{self.digits}f}"


def _percent(title: str) -> Shown:
    return Shown(title, 2, 100, "%")


SHOWN = {
    "predictor_accuracy": _percent("f"),
    "bare_accuracy": _percent("f trained alone"),
    "f_minus_bare_low": Shown("f - f alone", 2, 100, "points [95 %]"),
    "interpreter_accuracy": _percent("g"),
    "g_minus_f": Shown("g - f", 2, 100, "points"),
    "fidelity": _percent("fidelity"),
    "fidelity_hard": _percent("fidelity, hard tenth"),
    "fidelity_worst_class": _percent("fidelity, worst class"),
    "fidelity_rank_probe": _percent("fidelity of a probe of rank J"),
    "probability_error": Shown("probability error", 3),
    "conciseness@1.5": Shown("conciseness@1.5", 2),
    "conciseness@5": Shown("conciseness@5", 2),
    "conciseness_abs@5": Shown("conciseness_abs@5", 2),
    "sufficiency@5": Shown("sufficiency@5", 3),
    "within_class_explained": Shown("within_class_explained", 3),
    "logit_predictability": Shown("logit_predictability", 3),
    "dead_attributes": Shown("dead", 1),
    "always_on_attributes": Shown("always on", 1),
    "exclusive_attributes": Shown("exclusive", 1),
    "unexplained_share": Shown("unexplained", 4),
    "faithfulness": Shown("faithfulness", 3),
    "faithfulness_random": Shown("faithfulness, random attributes", 3),
    "faithfulness_gap_low": Shown(
        "faithfulness above random", 3, unit="and the lowest end of a run's 95 %"
    ),
    "overlap": Shown("overlap", 3),
    "stability_noise": Shown("stability, noise", 3),
    "stability_jpeg20": Shown("stability, JPEG 20", 3),
    "stability_shift": Shown("stability, shift", 3),
    "consistency": Shown("consistency", 3),
    "stability_seeds": Shown("stability_seeds", 3),
    "stability_seeds_random": Shown("stability_seeds, random Ψ", 3),
    "gates_failed_by_controls": Shown(
        "gates that controls fail", 0, unit="frozen random, relabelled"
    ),
}


@dataclass(frozen=True)
class Value:
    """A score of a setting.

    Args:
        text: the score, formatted.
        judged: the number that a goal judges; None where there is none, as for the interval of one
            run.
    """

    text: str
    judged: float | None


def stability() -> Stability:
    """Return the scores of several runs together, by setting; empty where none are recorded."""
    rows = json.loads(SEEDS.read_text())["rows"] if SEEDS.is_file() else []
    return {
        row["setting"]: {key: row[key] for key in row if key.startswith("stability_seeds")}
        for row in rows
    }


def measured(setting: str, groups: Groups, together: Stability) -> dict[str, Value]:
    """Return the scores of a setting, in the order of SHOWN; those not measured are absent.

    Args:
        setting: an experiment and its options.
        groups: runs by setting.
        together: scores of several runs together, by setting.
    """
    runs, alone = groups[setting], groups.get(bare(setting), ())
    found: dict[str, Value] = {}
    for key in SHOWN:
        if scores := values(runs, f"test/{key}"):
            found[key] = _mean(key, scores)
    if accuracies := values(alone, "test/predictor_accuracy"):
        found["bare_accuracy"] = _mean("bare_accuracy", accuracies)
    found |= _against_alone(runs, alone) | _behind(runs) | _gap(runs) | _controls(setting, groups)
    found |= {
        key: Value(SHOWN[key].number(value), value)
        for key, value in together.get(setting, {}).items()
    }
    return {key: found[key] for key in SHOWN if key in found}


def published(figures: Mapping[str, Figure]) -> dict[str, Value]:
    """Return the paper's figures in the same form.

    Args:
        figures: published figures by score.
    """
    return {
        key: Value(_with_deviation(key, figure), figure.mean) for key, figure in figures.items()
    }


def _with_deviation(key: str, figure: Figure) -> str:
    deviation = "" if figure.deviation is None else f" ± {SHOWN[key].number(figure.deviation)}"
    return SHOWN[key].number(figure.mean) + deviation


def _mean(key: str, scores: Sequence[float]) -> Value:
    return Value(spread(scores, SHOWN[key].digits, SHOWN[key].scale), statistics.mean(scores))


def _against_alone(runs: Sequence[Run], alone: Sequence[Run]) -> dict[str, Value]:
    """Return f trained with g against f alone, paired by seed; the interval's low end is judged."""
    differences, shown = paired(runs, alone, "test/predictor_accuracy"), SHOWN["f_minus_bare_low"]
    if not differences:
        return {}
    text, found = shown.number(statistics.mean(differences), sign=True), interval(differences)
    if found is None:
        return {"f_minus_bare_low": Value(f"{text} (1 pair)", None)}
    ends = f"[{shown.number(found.low, sign=True)}, {shown.number(found.high, sign=True)}]"
    return {"f_minus_bare_low": Value(f"{text} {ends}", found.low)}


def _behind(runs: Sequence[Run]) -> dict[str, Value]:
    pairs = [
        (
            run["metrics"].get("test/interpreter_accuracy"),
            run["metrics"].get("test/predictor_accuracy"),
        )
        for run in runs
    ]
    differences = [g - f for g, f in pairs if g is not None and f is not None]
    return {"g_minus_f": _mean("g_minus_f", differences)} if differences else {}


def _gap(runs: Sequence[Run]) -> dict[str, Value]:
    """Return how far faithfulness is above that of random attributes; the lowest end is judged."""
    lows = values(runs, "test/faithfulness_gap_low")
    if not lows:
        return {}
    pairs = zip(
        values(runs, "test/faithfulness"), values(runs, "test/faithfulness_random"), strict=False
    )
    text = spread([shown - random for shown, random in pairs], 3)
    return {"faithfulness_gap_low": Value(f"{text}; {min(lows):.3f}", min(lows))}


def _controls(setting: str, groups: Groups) -> dict[str, Value]:
    """Return the fewest gates that each negative control fails; the lesser is judged.

    Controls are runs of their own, or fitted by `interp evaluate` over the f of a run. Absent
    unless both are there.
    """
    fewest = []
    for control in CONTROLS:
        trained = [(run, _on_test(run)) for run in groups.get(with_options(setting, control), ())]
        name = control.partition("=")[2]
        fitted = [
            (run, run["controls"][name])
            for run in groups[setting]
            if name in run.get("controls", {})
        ]
        failed = [
            len(failed_gates(scores, run["n_attributes"])) for run, scores in trained + fitted
        ]
        if not failed:
            return {}
        fewest.append(min(failed))
    return {"gates_failed_by_controls": Value(", ".join(map(str, fewest)), min(fewest))}


def _on_test(run: Run) -> dict[str, float]:
    return {
        key.removeprefix("test/"): value
        for key, value in run["metrics"].items()
        if key.startswith("test/")
    }
