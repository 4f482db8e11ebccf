"""The scorecard as tables on the screen."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from interp_by_design.metrics import SCORES, failed_gates
from interp_by_design.report.score_text import (
    ARROWS,
    CONTROL_NAMES,
    WARNING,
    Controls,
    controls_verdict,
    failed_keys,
    number,
    scores_of,
)

FAILED = "✗"  # marks a control's score beyond its gate
MIN_WIDTH_FOR_MEANINGS = 100  # characters; a narrower screen shows controls without meanings
LOG_WIDTH = 120  # characters of a line where the output is no terminal


def show(
    scores: Mapping[str, float],
    n_attributes: int,
    console: Console | None = None,
    controls: Controls | None = None,
) -> None:
    """Print the scores of validation and test, the better direction, and failed gates on test.

    Args:
        scores: Scores by keys such as `test/fidelity`.
        n_attributes: Number of attributes J.
        console: Where to print; the standard output where None.
        controls: Test scores of each negative control, printed in further columns.
    """
    console = console or Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    controls = controls or {}
    meanings = not controls or console.width >= MIN_WIDTH_FOR_MEANINGS
    console.print(scores_table(scores, n_attributes, controls, meanings=meanings))
    console.print(curves_table(scores, n_attributes, controls))
    console.print(verdict(scores, n_attributes))
    for sentence in controls_verdict(scores, controls, n_attributes) if controls else ():
        style = "bold red" if sentence.startswith(WARNING) else None
        console.print(sentence, style=style, markup=False, highlight=False)
    if "train/seconds" in scores:
        seconds, speed = scores["train/seconds"], scores["train/images_per_second"]
        console.print(f"Trained in {seconds:.0f} s, {speed:,.0f} images a second.")


def scores_table(
    scores: Mapping[str, float],
    n_attributes: int,
    controls: Controls | None = None,
    meanings: bool = True,
) -> Table:
    """Build a table with one row a score, without curves over τ and absent scores.

    Args:
        scores: Scores by keys such as `test/fidelity`.
        n_attributes: Number of attributes J.
        controls: Test scores of each negative control.
        meanings: Whether a column says what each score means.

    Returns:
        The table, in the order of the scorecard.
    """
    failed, controls = failed_keys(scores_of(scores, "test"), n_attributes), controls or {}
    failed_by = {name: failed_keys(of, n_attributes) for name, of in controls.items()}
    columns = (f"{CONTROL_NAMES.get(name, name)}>" for name in controls)
    table = _table(" ", "val>", "test>", " ", *columns)
    if meanings:
        table.add_column("meaning")
    for score in SCORES:
        val, test = (scores.get(f"{split}/{score.key}") for split in ("val", "test"))
        if "@" not in score.key and (val is not None or test is not None):
            table.add_row(
                f"{ARROWS[score.direction]} {score.key}",
                number(val),
                number(test),
                "[bold red]BAD[/]" if score.key in failed else "",
                *(
                    _marked(of.get(score.key), score.key in failed_by[name])
                    for name, of in controls.items()
                ),
                *([f"[dim]{score.meaning}[/]"] if meanings else []),
            )
    return table


def curves_table(
    scores: Mapping[str, float], n_attributes: int = 0, controls: Controls | None = None
) -> Table:
    """Build a table with one row for each test score that is a curve over τ.

    Args:
        scores: Scores by keys such as `test/conciseness@5`.
        n_attributes: Number of attributes J.
        controls: Test scores of each negative control, in rows below.

    Returns:
        The table.
    """
    curves: dict[str, dict[str, str]] = {}
    for score in SCORES:
        name, _, tau = score.key.partition("@")
        if tau and f"test/{score.key}" in scores:
            curves.setdefault(f"{ARROWS[score.direction]} {name}", {})[tau] = score.key
    table = _table("\n  on test, at τ =", *(f"\n{tau}>" for tau in next(iter(curves.values()), {})))
    own = scores_of(scores, "test")
    for name, curve in curves.items():
        table.add_row(name, *(number(own[key]) for key in curve.values()))
        for control, of in (controls or {}).items():
            failed = failed_keys(of, n_attributes)
            cells = (_marked(of.get(key), key in failed) for key in curve.values())
            table.add_row(f"    [dim]{CONTROL_NAMES.get(control, control)}[/]", *cells)
    return table


def verdict(scores: Mapping[str, float], n_attributes: int) -> str:
    """Say which gates the test scores fail, with their bounds.

    Args:
        scores: Scores by keys such as `test/fidelity`.
        n_attributes: Number of attributes J.

    Returns:
        One sentence with Rich markup.
    """
    failed = failed_gates(scores_of(scores, "test"), n_attributes)
    if not failed:
        return "\n[green]No score on test is beyond its gate.[/]"
    words = {"up": "at least", "down": "at most"}
    bounds = (
        f"{gate.key} ({words[gate.direction]} {gate.limit(n_attributes):g})" for gate in failed
    )
    return f"\n[red]Beyond its gate on test:[/] {', '.join(bounds)}."


def _marked(value: float | None, failed: bool) -> str:
    """A control's score, padded so that digits stay aligned with and without the mark."""
    return f"{number(value)} [red]{FAILED}[/]" if failed else f"{number(value)}  "


def _table(*headings: str) -> Table:
    """Plain columns; a heading that ends in > is right-aligned."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(
            heading.removesuffix(">"),
            justify="right" if heading.endswith(">") else "left",
            no_wrap=heading != "meaning",
        )
    return table
