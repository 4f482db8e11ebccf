"""The goals on the page: what each track reached and missed, then every score with its goal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.pages.goals import GOALS, Goal
from benchmarks.pages.published import PUBLISHED
from benchmarks.pages.scores import SHOWN, Stability, Value, measured, published
from benchmarks.runs import Groups
from benchmarks.tracks import DATA, FLINT, TRACKS, Group, bare, command, of_track

ABOUT = """# Goals

A ✓ is a goal that the mean over the seeds reaches. A score that was not measured is not met.
`f - f alone`: paired by seed with runs of the same experiment in which every term but the
prediction is off, with Student's 95 % interval over the seeds, whose lower end is judged.
`faithfulness above random`: each run has a 95 % interval over its images, and the lowest end of any
is judged. `stability_seeds`: attributes of runs of different seeds matched one to one,
`python -m benchmarks.series`; next to it the same of random dictionaries. Controls: gates of
`interp_by_design/metrics/gates.py` that each negative control fails, in the same experiment. Goals
and bounds: `benchmarks/pages/goals.py`. *Paper*: FLINT's Table 1 and conciseness curves, whose
QuickDraw has ten classes of its own choice, and whose CIFAR-10 is not compressed; *as published*:
the authors' form, trained with this package."""


@dataclass(frozen=True)
class Miss:
    """A goal that was not reached.

    Args:
        title: the score's name.
        text: its value, formatted.
        unit: its unit, as it stands behind a number.
        wanted: the goal, formatted.
    """

    title: str
    text: str
    unit: str
    wanted: str


@dataclass(frozen=True)
class Standing:
    """A setting against its goals.

    Args:
        met: number of goals that are reached.
        missed: goals that are not.
        unknown: names of scores that were not measured.
    """

    met: int
    missed: tuple[Miss, ...]
    unknown: tuple[str, ...]

    @property
    def summary(self) -> str:
        """How many goals are met, in a few words."""
        open_ = f", {len(self.unknown)} not measured" if self.unknown else ""
        return f"{self.met} of {self.met + len(self.missed) + len(self.unknown)}{open_}"


def standing(group: Group, groups: Groups, together: Stability) -> Standing:
    """Compare a group with every goal of its track.

    Args:
        group: the group.
        groups: runs by setting.
        together: scores of several runs together, by setting.
    """
    found, n = measured(group.setting, groups, together), groups[group.setting][0]["n_attributes"]
    met, missed, unknown = 0, [], []
    for goal in GOALS:
        bound = goal.bound(group.track, group.data, n)
        if bound is None:
            continue
        value = found.get(goal.key)
        if value is None or value.judged is None:
            unknown.append(SHOWN[goal.key].title)
        elif goal.missed_by(value.judged, bound) is None:
            met += 1
        else:
            missed.append(
                Miss(SHOWN[goal.key].title, value.text, SHOWN[goal.key].after, wanted(goal, bound))
            )
    return Standing(met, tuple(missed), tuple(unknown))


def wanted(goal: Goal, bound: float) -> str:
    """Return a goal in the unit of its score.

    Args:
        goal: the goal.
        bound: its bound, a share of 0..1 or a number.
    """
    sign = {"up": ">" if goal.strict else "≥", "down": "<" if goal.strict else "≤"}[goal.direction]
    if bound == 0:
        return f"{sign} 0" if goal.strict or goal.direction == "up" else "0"
    shown = SHOWN[goal.key]
    return f"{sign} {shown.scale * bound:g}"


def goals_section(groups: Groups, together: Stability) -> str:
    """Return the sections of all tracks that have runs.

    Args:
        groups: runs by setting.
        together: scores of several runs together, by setting.
    """
    parts = [part for track in TRACKS for part in _track(track, groups, together)]
    return "\n".join([ABOUT, "", *parts]) if parts else ""


def _track(track: str, groups: Groups, together: Stability) -> Iterator[str]:
    there = {
        data: [group for group in of_track(track, data) if group.setting in groups] for data in DATA
    }
    if not any(there.values()):
        return
    yield from (f"## {TRACKS[track]}", "", *_overview(there, groups, together), "")
    for data, entries in there.items():
        if entries:
            yield from (
                f"### {DATA[data]}, {track.replace('_', ' ')}",
                "",
                *_details(data, entries, groups, together),
                "",
            )


def _overview(
    there: Mapping[str, Sequence[Group]], groups: Groups, together: Stability
) -> Iterator[str]:
    """Yield a row a setting; the paper's and the published form's come first."""
    columns = ("predictor_accuracy", "bare_accuracy", "f_minus_bare_low", "g_minus_f", "fidelity")
    yield (
        "| data | setting | seeds | "
        + " | ".join(SHOWN[key].heading for key in columns)
        + " | goals met | command |"
    )
    yield "|---" * (len(columns) + 5) + "|"
    for data, entries in there.items():
        by_design = [group for group in entries if group.track != "post_hoc"]
        if by_design:
            yield _line(data, "*paper*", "?", published(PUBLISHED[data]), columns)
        for group in [*(_flint(data, groups) if by_design else []), *entries]:
            seeds, found = (
                str(len(groups[group.setting])),
                measured(group.setting, groups, together),
            )
            met = "" if group.track == FLINT else standing(group, groups, together).summary
            yield _line(
                data,
                f"`{group.setting}`",
                seeds,
                found,
                columns,
                f"{met} | `{command(group.setting)}`",
            )


def _line(
    data: str,
    name: str,
    seeds: str,
    found: Mapping[str, Value],
    columns: Sequence[str],
    end: str = " | ",
) -> str:
    cells = [found[key].text if key in found else "" for key in columns]
    return "| " + " | ".join([DATA[data], name, seeds, *cells]) + f" | {end} |"


def _details(
    data: str, entries: Sequence[Group], groups: Groups, together: Stability
) -> Iterator[str]:
    """Yield a row a score, with a column a setting; judged numbers carry their verdict."""
    track = entries[0].track
    reference = _flint(data, groups) if track != "post_hoc" else []
    columns = [
        (group, measured(group.setting, groups, together)) for group in [*reference, *entries]
    ]
    paper = published(PUBLISHED[data]) if track != "post_hoc" else {}
    goals = {goal.key: goal for goal in GOALS if goal.bound(track, data, 1) is not None}
    names = [
        f"as published, `{group.setting}`" if group.track == FLINT else f"`{group.setting}`"
        for group, _ in columns
    ]
    yield "| " + " | ".join(["score", "goal", *(["paper"] if paper else []), *names]) + " |"
    yield "|---" * (2 + bool(paper) + len(columns)) + "|"
    for key, shown in SHOWN.items():
        if key not in goals and not any(key in found for _, found in columns):
            continue
        goal, n = goals.get(key), groups[entries[0].setting][0]["n_attributes"]
        bound = None if goal is None else goal.bound(track, data, n)
        aim = "" if goal is None or bound is None else wanted(goal, bound)
        cells = [paper[key].text if key in paper else ""] if paper else []
        for group, found in columns:
            limit = (
                None
                if goal is None
                else goal.bound(track, data, groups[group.setting][0]["n_attributes"])
            )
            cells.append(_judged(found.get(key), goal, limit))
        yield "| " + " | ".join([shown.heading, aim, *cells]) + " |"
    yield ""
    yield from (_seeds(group, groups) for group, _ in columns)


def _judged(value: Value | None, goal: Goal | None, bound: float | None) -> str:
    if value is None:
        return "" if goal is None else "not measured"
    if goal is None or bound is None:
        return value.text
    if value.judged is None:
        return f"{value.text}, not judged"
    short = goal.missed_by(value.judged, bound)
    return (
        f"{value.text} ✓" if short is None else f"{value.text}, **missed by {_short(goal, short)}**"
    )


def _short(goal: Goal, short: float) -> str:
    """Return how far a score misses, in its unit, with enough digits to see it."""
    shown = SHOWN[goal.key]
    value = shown.scale * short
    digits = next(
        (digits for digits in range(shown.digits, 7) if float(f"{value:.{digits}f}") > 0), None
    )
    return "less than can be shown" if digits is None else f"{value:.{digits}f}"


def _flint(data: str, groups: Groups) -> list[Group]:
    return [group for group in of_track(FLINT, data) if group.setting in groups]


def _seeds(group: Group, groups: Groups) -> str:
    """Return the commands that make the runs of a column again."""

    def numbers(setting: str) -> str:
        return ",".join(str(run["seed"]) for run in groups[setting])

    alone = f"; f alone: {numbers(bare(group.setting))}" if bare(group.setting) in groups else ""
    whole = f"all of it: `python -m benchmarks.series {group.setting}`"
    seeds = f"`{command(group.setting)} -m seed={numbers(group.setting)}`"
    return f"- `{group.setting}`: {seeds}{alone}; {whole}."
