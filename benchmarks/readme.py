"""The README's short form of the results: a table, what the default job prints, and which goals are missed.

Each stands between two marks. A README without the marks keeps its text: put them in to have the part written.

    <!-- results: written by make results -->   …   <!-- end of results -->      the table
    <!-- example: written by make results -->   …   <!-- end of example -->      what `python train.py` prints
    <!-- misses: written by make results -->    …   <!-- end of misses -->       what is not good
"""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from benchmarks.goals_page import Standing, standing
from benchmarks.runs import Groups
from benchmarks.scores import Stability
from benchmarks.tables import COLUMNS, cell, seconds
from benchmarks.tracks import DATA, FLINT, GROUPS, Group
from interp_by_design.report.scorecard_table import LOG_WIDTH, show

TABLE = "<!-- results: written by make results -->\n", "<!-- end of results -->"
EXAMPLE = "<!-- example: written by make results -->\n", "<!-- end of example -->"
MISSES = "<!-- misses: written by make results -->\n", "<!-- end of misses -->"
SHORT = (
    "predictor_accuracy",
    "interpreter_accuracy",
    "fidelity",
    "conciseness_abs@5",
    "dead_attributes",
    "within_class_explained",
)
NOT_SHORT = ("paper",)  # tracks that the page alone shows


def written(readme: str, groups: Groups, together: Stability) -> str:
    """The README with its parts written anew."""
    text = between(readme, TABLE, short_table(groups, together))
    if "digits" in groups:
        text = between(text, EXAMPLE, example(groups))
    return between(text, MISSES, misses(groups, together))


def between(text: str, marks: tuple[str, str], content: str) -> str:
    """`text` with what stands between the marks replaced; as it is where they are not there."""
    before, begin, rest = text.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    return before + begin + content + "\n" + end + after if begin and end else text


def short_table(groups: Groups, together: Stability) -> str:
    """Experiments without further options, a few columns, and how many goals each meets."""
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
        met = standing(group, groups, together).told if group and group.track != FLINT else ""
        lines.append(f"| `{setting}` | {len(runs)} | {cells} | {seconds(runs)} | {met} |")
    return "\n".join(lines)


def misses(groups: Groups, together: Stability) -> str:
    """A line for each setting with goals that it misses, and one for each with scores that nobody measured."""
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
    told = "; ".join(
        f"{miss.title} {miss.text}{miss.unit} (goal {miss.wanted})" for miss in found.missed
    )
    return f"- {DATA[group.data]}, `{group.setting}`: {told}."


def example(groups: Groups) -> str:
    """What the default job prints at its end."""
    screen = StringIO()
    run = groups["digits"][0]
    show(run["metrics"], run["n_attributes"], Console(file=screen, width=LOG_WIDTH))
    return (
        "```text\n" + "\n".join(line.rstrip() for line in screen.getvalue().splitlines()) + "\n```"
    )
