"""The scorecard as tables on the screen, with what controls score where that is known. Does not know how a score is computed."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from interp_by_design.metrics import SCORES, failed_gates

CONTROL_NAMES = {
    "relabelled": "relabelled",
    "frozen_random": "random Ψ",
}  # what columns of controls are called
WARNING = "Warning"
FEWEST_FAILED = 2  # gates that a control fails where the gates tell anything
FAILED, ROOMY = (
    "✗",
    100,
)  # marks a control's score beyond its gate; columns from which there is room for meanings beside controls
ARROWS = {"up": "↑", "down": "↓", None: " "}
LOG_WIDTH = 120  # of a line where the output is no terminal


Controls = Mapping[
    str, Mapping[str, float]
]  # the test scores of each control by its name, by keys without prefix


def show(
    scores: Mapping[str, float],
    n_attributes: int,
    console: Console | None = None,
    controls: Controls | None = None,
) -> None:
    """Prints the scores of validation and test, an arrow to where better is, and what is beyond its gate on test.

    Beside them stands what `controls` score on test, marked where it is beyond its gate, and then how many gates each fails.
    """
    console = console or Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    controls = controls or {}
    console.print(
        scores_table(
            scores, n_attributes, controls, meanings=not controls or console.width >= ROOMY
        )
    )
    console.print(curves_table(scores, n_attributes, controls))
    console.print(verdict(scores, n_attributes))
    if controls:
        for told in controls_verdict(scores, controls, n_attributes):
            console.print(
                told,
                style="bold red" if told.startswith(WARNING) else None,
                markup=False,
                highlight=False,
            )
    if "train/seconds" in scores:
        console.print(
            f"Trained in {scores['train/seconds']:.0f} s, {scores['train/images_per_second']:,.0f} images a second."
        )


def scores_table(
    scores: Mapping[str, float],
    n_attributes: int,
    controls: Controls | None = None,
    meanings: bool = True,
) -> Table:
    """A row a score, in the scorecard's order, but for those that are a curve over τ; absent scores are left out."""
    failed, controls = failed_keys(_of(scores, "test"), n_attributes), controls or {}
    beside = {name: failed_keys(of, n_attributes) for name, of in controls.items()}
    table = _table(
        " ", "val>", "test>", " ", *(f"{CONTROL_NAMES.get(name, name)}>" for name in controls)
    )
    if meanings:
        table.add_column("meaning")
    for score in SCORES:
        val, test = (scores.get(f"{split}/{score.key}") for split in ("val", "test"))
        if "@" not in score.key and (val is not None or test is not None):
            flag = "[bold red]BAD[/]" if score.key in failed else ""
            cells = [
                _marked(of.get(score.key), score.key in beside[name])
                for name, of in controls.items()
            ]
            told = [f"[dim]{score.meaning}[/]"] if meanings else []
            table.add_row(
                f"{ARROWS[score.direction]} {score.key}",
                number(val),
                number(test),
                flag,
                *cells,
                *told,
            )
    return table


def curves_table(
    scores: Mapping[str, float], n_attributes: int = 0, controls: Controls | None = None
) -> Table:
    """The test scores that are a curve over τ, a row each; an attribute is shown at τ where its relevance exceeds 1/τ.

    Below each, where there are `controls`, theirs.
    """
    curves: dict[str, dict[str, str]] = {}
    for score in SCORES:
        name, _, tau = score.key.partition("@")
        if tau and f"test/{score.key}" in scores:
            curves.setdefault(f"{ARROWS[score.direction]} {name}", {})[tau] = score.key
    table = _table("\n  on test, at τ =", *(f"\n{tau}>" for tau in next(iter(curves.values()), {})))
    own = _of(scores, "test")
    for name, curve in curves.items():
        table.add_row(name, *(number(own[key]) for key in curve.values()))
        for control, of in (controls or {}).items():
            failed = failed_keys(of, n_attributes)
            cells = (_marked(of.get(key), key in failed) for key in curve.values())
            table.add_row(f"    [dim]{CONTROL_NAMES.get(control, control)}[/]", *cells)
    return table


def verdict(scores: Mapping[str, float], n_attributes: int) -> str:
    """One sentence: which gates the test scores fail, with their bounds."""
    failed = failed_gates(_of(scores, "test"), n_attributes)
    if not failed:
        return "\n[green]No score on test is beyond its gate.[/]"
    bounds = (
        f"{gate.key} ({'at least' if gate.direction == 'up' else 'at most'} {gate.limit(n_attributes):g})"
        for gate in failed
    )
    return f"\n[red]Beyond its gate on test:[/] {', '.join(bounds)}."


def controls_verdict(
    scores: Mapping[str, float], controls: Controls, n_attributes: int
) -> tuple[str, ...]:
    """In words: which gates each control fails, a warning where those are too few, and in what the scores are better."""
    failed = {name: failed_keys(of, n_attributes) for name, of in controls.items()}
    told = "; ".join(
        f"the {CONTROL_NAMES.get(name, name)} control fails {_counted(len(keys))}{': ' if keys else ''}{', '.join(keys)}"
        for name, keys in failed.items()
    )
    few = [
        CONTROL_NAMES.get(name, name) for name, keys in failed.items() if len(keys) < FEWEST_FAILED
    ]
    warning = (
        f"{WARNING}: {' and '.join(few)} should fail {FEWEST_FAILED} gates at least, for there is nothing in such attributes to "
        "explain f by. Here the gates do not tell them apart, and that this run passes some proves little."
    )
    better = better_than_controls(scores, controls)
    ahead = (
        f"Better than the controls in {', '.join(better)}; in any other score a control is as good."
    )
    none = "In every score a control is as good as this run."
    return (
        f"{told[:1].upper()}{told[1:]}.",
        *([warning] if few else []),
        ahead if better else none,
    )


def better_than_controls(scores: Mapping[str, float], controls: Controls) -> list[str]:
    """The test scores, curves over τ aside, that are better than those of every control that has them."""
    own = _of(scores, "test")
    found = []
    for score in SCORES:
        theirs = [of[score.key] for of in controls.values() if score.key in of]
        if score.direction is None or "@" in score.key or score.key not in own or not theirs:
            continue
        value = own[score.key]
        if value > max(theirs) if score.direction == "up" else value < min(theirs):
            found.append(score.key)
    return found


def failed_keys(scores: Mapping[str, float], n_attributes: int) -> list[str]:
    """The keys of the gates that `scores`, without prefix, fail."""
    return [gate.key for gate in failed_gates(scores, n_attributes)]


def _marked(value: float | None, failed: bool) -> str:
    """A control's score; the digits of those that are marked and those that are not stand below one another."""
    return f"{number(value)} [red]{FAILED}[/]" if failed else f"{number(value)}  "


def _counted(gates: int) -> str:
    return "no gate" if not gates else f"{gates} gate{'s' if gates > 1 else ''}"


def _table(*headings: str) -> Table:
    """Plain columns; a heading that ends in > is set to the right."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(
            heading.removesuffix(">"),
            justify="right" if heading.endswith(">") else "left",
            no_wrap=heading != "meaning",
        )
    return table


def _of(scores: Mapping[str, float], split: str) -> dict[str, float]:
    return {
        key.removeprefix(f"{split}/"): value
        for key, value in scores.items()
        if key.startswith(f"{split}/")
    }


def number(value: float | None) -> str:
    """Counts bare, shares and errors with four decimals, larger numbers with two."""
    if value is None:
        return "-"
    return (
        f"{value:.4f}"
        if abs(value) <= 1 and value != int(value)
        else f"{value:.0f}"
        if value == int(value)
        else f"{value:.2f}"
    )
