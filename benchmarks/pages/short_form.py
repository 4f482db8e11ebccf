"""The short form of the results: a table, what the default job prints, and which goals are missed.

Each part stands between two marks, in any of the pages. A page without the marks keeps its text:
add them to have the part written there.

    <!-- results: written by make results -->   …   <!-- end of results -->   the table
    <!-- example: written by make results -->   …   <!-- end of example -->   the default scorecard
    <!-- misses: written by make results -->    …   <!-- end of misses -->    goals that are missed
"""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from benchmarks.pages.experiment_tables import COLUMNS, cell, seconds
from benchmarks.pages.goals_page import Standing, standing
from benchmarks.pages.scores import Stability
from benchmarks.record import RESULTS
from benchmarks.runs import Groups
from benchmarks.tracks import DATA, FLINT, GROUPS, Group
from interp_by_design.report.scorecard_table import LOG_WIDTH, show

PAGES = tuple(
    RESULTS.parent / name for name in ("README.md", "docs/scorecard.md", "docs/results.md")
)
TABLE = ("<!-- results: written by make results -->\n", "<!-- end of results -->")
EXAMPLE = ("<!-- example: written by make results -->\n", "<!-- end of example -->")
MISSES = ("<!-- misses: written by make results -->\n", "<!-- end of misses -->")
SHORT = (
    "predictor_accuracy",
    "interpreter_accuracy",
    "fidelity",
    "conciseness_abs@5",
    "dead_attributes",
    "within_class_explained",
)
NOT_SHORT = ("paper",)  # tracks that only the whole page shows


def write_short_forms(groups: Groups, together: Stability) -> list[str]:
    """Write the parts into every page that has their marks.

    Args:
        groups: runs by setting.
        together: scores of several runs together, by setting.

    Returns:
        The names of the pages that have marks.
    """
    names = []
    for path in PAGES:
        text = path.read_text() if path.is_file() else ""
        if any(begin in text for begin, _ in (TABLE, EXAMPLE, MISSES)):
            path.write_text(written(text, groups, together))
            names.append(path.name)
    return names


def written(text: str, groups: Groups, together: Stability) -> str:
    """Return a page with its parts written again.

    Args:
        text: the page, with or without marks.
        groups: runs by setting.
        together: scores of several runs together, by setting.
    """
    text = between(text, TABLE, short_table(groups, together))
    if "digits" in groups:
        text = between(text, EXAMPLE, example(groups))
    return between(text, MISSES, misses(groups, together))


def between(text: str, marks: tuple[str, str], content: str) -> str:
    """Return `text` with other content between the marks; unchanged without them.

    Args:
        text: the page.
        marks: where the content begins and ends.
        content: what to write there.

    >>> print(between("a <b> old </b> c", ("<b>", "</b>"), "new"))
    a <b>new
    </b> c
    """
    before, begin, rest = text.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    return before + begin + content + "\n" + end + after if begin and end else text


def short_table(groups: Groups, together: Stability) -> str:
    """Return a table of the experiments without further options, and how many goals each meets.

    Args:
        groups: runs by setting.
        together: scores of several runs together, by setting.
    """
    lines = [
        "| experiment | seeds | "
        + " | ".join(COLUMNS[key] for key in SHORT)
        + " | fit, s | goals met |",
        "|---" * (len(SHORT) + 4) + "|",
    ]
    listed = {group.setting: group for group in GROUPS}
    for setting, runs in groups.items():
        group = listed.get(setting)
        if " " in setting or (group and group.track in NOT_SHORT):
            continue
        cells = " | ".join(cell(key, runs) for key in SHORT)
        met = standing(group, groups, together).summary if group and group.track != FLINT else ""
        lines.append(f"| `{setting}` | {len(runs)} | {cells} | {seconds(runs)} | {met} |")
    return "\n".join(lines)


def misses(groups: Groups, together: Stability) -> str:
    """Return a line for each setting that misses goals or lacks scores.

    Args:
        groups: runs by setting.
        together: scores of several runs together, by setting.
    """
    judged = [
        (group, standing(group, groups, together))
        for group in GROUPS
        if group.track != FLINT and group.setting in groups
    ]
    lines = [_missed(group, found) for group, found in judged if found.missed]
    lines += [
        f"- `{group.setting}`: not measured: {', '.join(found.unknown)}."
        for group, found in judged
        if found.unknown
    ]
    return "\n".join(lines) or "Every goal is met."


def _missed(group: Group, found: Standing) -> str:
    listed = "; ".join(
        f"{miss.title} {miss.text}{miss.unit} (goal {miss.wanted})" for miss in found.missed
    )
    return f"- {DATA[group.data]}, `{group.setting}`: {listed}."


def example(groups: Groups) -> str:
    """Return the scorecard that the default job prints at its end.

    Args:
        groups: runs by setting; `digits` is among them.
    """
    screen = StringIO()
    run = groups["digits"][0]
    show(run["metrics"], run["n_attributes"], Console(file=screen, width=LOG_WIDTH))
    return (
        "```text\n" + "\n".join(line.rstrip() for line in screen.getvalue().splitlines()) + "\n```"
    )
