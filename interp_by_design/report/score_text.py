"""Scores, gates and negative controls in words and digits, for the screen and the page."""

from __future__ import annotations

from collections.abc import Mapping

from interp_by_design.metrics import SCORES, Gate, failed_gates

# Names of the columns that show negative controls.
CONTROL_NAMES = {"relabelled": "relabelled", "frozen_random": "random Ψ"}
WARNING = "Warning"
MIN_FAILED = 2  # gates that a negative control must fail for the gates to be informative
ARROWS = {"up": "↑", "down": "↓", None: " "}

Controls = Mapping[str, Mapping[str, float]]  # control -> test scores, by keys without prefix


def number(value: float | None) -> str:
    """Format a score: counts bare, shares and errors with four decimals, larger ones with two.

    Args:
        value: The score; None where it is absent.

    Returns:
        The digits, or a dash.

    >>> number(0.98), number(3.0), number(12.345), number(None)
    ('0.9800', '3', '12.35', '-')
    """
    if value is None:
        return "-"
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.4f}" if abs(value) <= 1 else f"{value:.2f}"


def percent(share: float) -> str:
    """Format a share as percent that never rounds up to all.

    Args:
        share: A share from 0 to 1.

    Returns:
        The percentage.

    >>> percent(0.9948), percent(1.0), percent(0.99999)
    ('99.5 %', '100 %', '> 99.9 %')
    """
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def bound(gate: Gate, n_attributes: int) -> str:
    """Format the bound of a gate.

    Args:
        gate: The gate.
        n_attributes: Number of attributes J, which some bounds scale with.

    Returns:
        A relation sign and a number.

    >>> bound(Gate("fidelity", 0.97, "up"), 25)
    '≥ 0.97'
    """
    return f"{'≥' if gate.direction == 'up' else '≤'} {gate.limit(n_attributes):g}"


def scores_of(scores: Mapping[str, float], split: str) -> dict[str, float]:
    """Return the scores of one split, by keys without prefix.

    Args:
        scores: Scores by keys such as `test/fidelity`.
        split: Name of the split.

    Returns:
        Its scores, in the same order.

    >>> scores_of({"test/fidelity": 0.9, "val/fidelity": 0.8}, "test")
    {'fidelity': 0.9}
    """
    prefix = f"{split}/"
    return {
        key.removeprefix(prefix): value for key, value in scores.items() if key.startswith(prefix)
    }


def failed_keys(scores: Mapping[str, float], n_attributes: int) -> list[str]:
    """Return the keys of the gates that scores fail.

    Args:
        scores: Scores by keys without prefix.
        n_attributes: Number of attributes J.

    Returns:
        Keys of the failed gates.
    """
    return [gate.key for gate in failed_gates(scores, n_attributes)]


def controls_verdict(
    scores: Mapping[str, float], controls: Controls, n_attributes: int
) -> tuple[str, ...]:
    """Compare a run with its negative controls in words.

    Args:
        scores: Scores of the run, by keys such as `test/fidelity`.
        controls: Test scores of each negative control.
        n_attributes: Number of attributes J.

    Returns:
        Sentences: which gates each control fails, a warning where those are too few, and in
        which scores the run is better.
    """
    failed = {name: failed_keys(of, n_attributes) for name, of in controls.items()}
    fails = "; ".join(
        f"the {CONTROL_NAMES.get(name, name)} control fails {_counted(keys)}"
        for name, keys in failed.items()
    )
    few = [CONTROL_NAMES.get(name, name) for name, keys in failed.items() if len(keys) < MIN_FAILED]
    warning = (
        f"{WARNING}: {' and '.join(few)} should fail at least {MIN_FAILED} gates, because such "
        "attributes hold nothing that explains f. Here the gates do not separate them from this "
        "run, so that passing a gate proves little."
    )
    better = better_than_controls(scores, controls)
    ahead = (
        f"Better than the controls in {', '.join(better)}; in any other score a control is as good."
    )
    none = "In every score a control is as good as this run."
    return (
        f"{fails[:1].upper()}{fails[1:]}.",
        *([warning] if few else []),
        ahead if better else none,
    )


def better_than_controls(scores: Mapping[str, float], controls: Controls) -> list[str]:
    """Return the test scores that are better than those of every negative control.

    Args:
        scores: Scores of the run, by keys such as `test/fidelity`.
        controls: Test scores of each negative control.

    Returns:
        Keys in the order of the scorecard, without curves over τ.
    """
    own = scores_of(scores, "test")
    found = []
    for score in SCORES:
        theirs = [of[score.key] for of in controls.values() if score.key in of]
        if score.direction is None or "@" in score.key or score.key not in own or not theirs:
            continue
        value = own[score.key]
        if value > max(theirs) if score.direction == "up" else value < min(theirs):
            found.append(score.key)
    return found


def _counted(keys: list[str]) -> str:
    if not keys:
        return "no gate"
    return f"{len(keys)} gate{'s' if len(keys) > 1 else ''}: {', '.join(keys)}"
