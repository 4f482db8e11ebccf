"""A comparison of runs as an HTML page that opens from disk."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from string import Template

from interp_by_design.metrics import SCORES
from interp_by_design.metrics.seed_stability import SEED_SCORES
from interp_by_design.report.comparison.console import cell_text, option_text
from interp_by_design.report.comparison.table import DIRECTIONS, MAIN, Cell, Comparison, Row
from interp_by_design.report.score_text import ARROWS

TEMPLATE = Path(__file__).with_name("comparison.html")
MEANINGS = {score.key: score.meaning for score in (*SCORES, *SEED_SCORES)}
# The order that brings the best to the top, by the better direction.
FIRST_ORDER = {"up": "descending", "down": "ascending", None: "ascending"}


def write(comparison: Comparison, file: Path) -> None:
    """Write the page.

    Args:
        comparison: The comparison.
        file: Path of the HTML file.
    """
    file.write_text(page(comparison), encoding="utf-8")


def page(comparison: Comparison) -> str:
    """Render the page; numbers that are not among the main ones are hidden at first.

    Args:
        comparison: The comparison.

    Returns:
        HTML.
    """
    headings = [_heading("run", "")]
    headings += [_heading(key, "") for key in comparison.options]
    headings += [_score_heading(key) for key in comparison.scores]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=f"{len(comparison.runs)} run{'s' * (len(comparison.runs) != 1)} compared",
        headings="".join(headings),
        runs="\n".join(_row(run, comparison) for run in comparison.runs),
        means="\n".join(_row(mean, comparison) for mean in comparison.means),
    )


def _heading(text: str, attributes: str) -> str:
    breakable = re.sub("([._/])", r"\1<wbr>", escape(text))
    return f'<th scope="col"{attributes}><button type="button">{breakable}</button></th>'


def _score_heading(key: str) -> str:
    direction, meaning = DIRECTIONS.get(key), MEANINGS.get(key.partition("/")[2], "")
    attributes = (
        f' class="{_classes(key)}" data-first="{FIRST_ORDER[direction]}" title="{escape(meaning)}"'
    )
    return _heading(f"{ARROWS[direction]} {key}".strip(), attributes)


def _row(row: Row, comparison: Comparison) -> str:
    state = "" if row.is_finished else "<small>unfinished</small>"
    options = [
        f"<td {_text(text, option_text(key, text))}</td>"
        for key, text in zip(comparison.options, row.options, strict=True)
    ]
    cells = [_cell(*pair) for pair in zip(row.cells, comparison.scores, strict=True)]
    heading = f'<th scope="row" {_text(row.name, row.name)}{state}</th>'
    return f"<tr>{heading}{''.join(options + cells)}</tr>"


def _text(whole: str, visible: str) -> str:
    return f'data-value="{escape(whole)}" title="{escape(whole)}">{escape(visible)}'


def _cell(cell: Cell, key: str) -> str:
    value = "" if cell.value is None else repr(cell.value)
    return f'<td class="{_classes(key, cell.is_best)}" data-value="{value}">{cell_text(cell)}</td>'


def _classes(key: str, is_best: bool = False) -> str:
    return " ".join(["number", *["more"] * (key not in MAIN), *["best"] * is_best])
