"""The scorecard as tables on the screen. Does not know how a score is computed."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from interp_by_design.metrics import SCORES, failed_gates

ARROWS = {"up": "↑", "down": "↓", None: " "}
LOG_WIDTH = 120  # of a line where the output is no terminal


def show(scores: Mapping[str, float], n_attributes: int, console: Console | None = None) -> None:
    """Prints the scores of validation and test, an arrow to where better is, and what is beyond its gate on test."""
    console = console or Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    console.print(scores_table(scores, n_attributes))
    console.print(curves_table(scores))
    console.print(verdict(scores, n_attributes))
    if "train/seconds" in scores:
        console.print(f"Trained in {scores['train/seconds']:.0f} s, {scores['train/images_per_second']:,.0f} images a second.")


def scores_table(scores: Mapping[str, float], n_attributes: int) -> Table:
    """A row a score, in the scorecard's order, but for those that are a curve over τ; absent scores are left out."""
    failed = {gate.key for gate in failed_gates(_of(scores, "test"), n_attributes)}
    table = _table(" ", "val>", "test>", " ", "meaning")
    for score in SCORES:
        val, test = (scores.get(f"{split}/{score.key}") for split in ("val", "test"))
        if "@" not in score.key and (val is not None or test is not None):
            flag = "[bold red]BAD[/]" if score.key in failed else ""
            table.add_row(f"{ARROWS[score.direction]} {score.key}", number(val), number(test), flag, f"[dim]{score.meaning}[/]")
    return table


def curves_table(scores: Mapping[str, float]) -> Table:
    """The test scores that are a curve over τ, a row each; an attribute is shown at τ where its relevance exceeds 1/τ."""
    curves: dict[str, dict[str, tuple[str, float]]] = {}
    for score in SCORES:
        name, _, tau = score.key.partition("@")
        if tau and f"test/{score.key}" in scores:
            curves.setdefault(name, {})[tau] = ARROWS[score.direction], scores[f"test/{score.key}"]
    table = _table("\n  on test, at τ =", *(f"\n{tau}>" for tau in next(iter(curves.values()), {})))
    for name, curve in curves.items():
        table.add_row(f"{next(iter(curve.values()))[0]} {name}", *(number(value) for _, value in curve.values()))
    return table


def verdict(scores: Mapping[str, float], n_attributes: int) -> str:
    """One sentence: which gates the test scores fail, with their bounds."""
    failed = failed_gates(_of(scores, "test"), n_attributes)
    if not failed:
        return "\n[green]No score on test is beyond its gate.[/]"
    bounds = (
        f"{gate.key} ({'at least' if gate.direction == 'up' else 'at most'} {gate.limit(n_attributes):g})" for gate in failed
    )
    return f"\n[red]Beyond its gate on test:[/] {', '.join(bounds)}."


def _table(*headings: str) -> Table:
    """Plain columns; a heading that ends in > is set to the right."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(
            heading.removesuffix(">"), justify="right" if heading.endswith(">") else "left", no_wrap=heading != "meaning"
        )
    return table


def _of(scores: Mapping[str, float], split: str) -> dict[str, float]:
    return {key.removeprefix(f"{split}/"): value for key, value in scores.items() if key.startswith(f"{split}/")}


def number(value: float | None) -> str:
    """Counts bare, shares and errors with four decimals, larger numbers with two."""
    if value is None:
        return "-"
    return (
        f"{value:.4f}" if abs(value) <= 1 and value != int(value) else f"{value:.0f}" if value == int(value) else f"{value:.2f}"
    )
