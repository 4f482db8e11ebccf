"""Pictures of the results: each data set's settings by fidelity and what that costs or hides.

They show what a table hides: negative controls have fidelity too, and differ only in what their
attributes contain.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from benchmarks.pages.experiment_tables import data_of
from benchmarks.pages.goals import GOALS
from benchmarks.runs import Groups, Run, values
from benchmarks.tracks import CONTROLS, DATA, FLINT, GROUPS, is_bare
from interp_by_design.visualize.frame import BODY, SMALL, Frame, Words, label, line, rules
from interp_by_design.visualize.plot import Scale
from interp_by_design.visualize.theme import DARK, LIGHT, Theme
from interp_by_design.visualize.words import shortened, width

THEMES = {"": LIGHT, "-dark": DARK}
PANEL = (3.1, 2.5)  # inches of a panel's axes
LEFT = 0.55  # inches
BELOW = 0.42  # inches
ABOVE = 0.3  # inches
BETWEEN = 0.75  # inches
EDGE = 0.035  # of a panel, where no number stands
MARKS = {"ours": ("o", 0), "published": ("s", 1), "other": ("^", 2), "control": ("X", 3)}
KINDS = {
    "ours": "ours",
    "published": "as published",
    "other": "other settings",
    "control": "controls",
}


@dataclass(frozen=True)
class Across:
    """The horizontal axis of a panel.

    Args:
        key: the score.
        heading: its name.
        below: what the ends of the axis mean.
    """

    key: str
    heading: str
    below: str


PANELS = (
    Across(
        "conciseness_abs@5",
        "attributes shown",
        "conciseness_abs@5: low is short, but 1 is a class name",
    ),
    Across(
        "logit_predictability",
        "predictability",
        "logit_predictability: 1 is f's answer under other names",
    ),
    Across(
        "within_class_explained",
        "what a class leaves open",
        "within_class_explained: 0 is a class name",
    ),
)


@dataclass(frozen=True)
class Point:
    """A setting's place in a panel.

    Args:
        number: its number in the legend.
        kind: its kind of marker.
        x: mean over the seeds of the horizontal score.
        y: mean over the seeds of fidelity.
        dx: standard deviation of x.
        dy: standard deviation of y.
    """

    number: int
    kind: str
    x: float
    y: float
    dx: float = 0.0
    dy: float = 0.0


def write_pictures(groups: Groups, folder: Path) -> None:
    """Write a picture for each theme and each data set with at least two settings.

    Args:
        groups: runs by setting.
        folder: where the files are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    groups = with_controls(groups)
    for data, settings in _drawn(groups):
        for suffix, theme in THEMES.items():
            frame = picture(data, settings, groups, theme)
            # No dates or versions: the same record gives the same file.
            frame.figure.savefig(
                folder / f"{data}{suffix}.png", dpi=160, metadata={"Software": None}
            )


def pictures_section(groups: Groups, folder: Path) -> str:
    """Return the Markdown of the pictures, each in the reader's theme.

    Args:
        groups: runs by setting.
        folder: the folder of the files, as seen from the page.
    """
    lines, groups = ["# Fidelity, and what it costs or hides", ""], with_controls(groups)
    for data, settings in _drawn(groups):
        place = (folder / data).as_posix()
        alt = (
            f"Fidelity of {len(settings)} settings on {DATA.get(data, data)}, by attributes shown, "
            "predictability and what they know within a class"
        )
        lines += [
            "<picture>",
            f'  <source media="(prefers-color-scheme: dark)" srcset="{place}-dark.png">',
            f'  <img alt="{alt}" src="{place}.png">',
            "</picture>",
            "",
        ]
    return "\n".join(lines) if len(lines) > 2 else ""


def with_controls(groups: Groups) -> Groups:
    """Return the groups, with the controls fitted to their runs as settings of their own.

    Args:
        groups: runs by setting.
    """
    fitted: dict[str, list[Run]] = {}
    for setting, runs in groups.items():
        for run in runs:
            for name, scores in run.get("controls", {}).items():
                metrics = {f"test/{key}": value for key, value in scores.items()}
                fitted.setdefault(f"{setting} interpreter={name}", []).append({"metrics": metrics})
    return fitted | dict(groups)


def _drawn(groups: Groups) -> Iterator[tuple[str, list[str]]]:
    by_data: dict[str, list[str]] = {}
    for setting in groups:
        if not is_bare(setting) and values(groups[setting], "test/fidelity"):
            by_data.setdefault(data_of(setting), []).append(setting)
    order = {data: place for place, data in enumerate(DATA)}
    for data in sorted(by_data, key=lambda data: (order.get(data, len(order)), data)):
        if len(by_data[data]) > 1:
            yield (
                data,
                sorted(
                    by_data[data],
                    key=lambda setting: (list(MARKS).index(kind_of(setting)), setting),
                ),
            )


def kind_of(setting: str) -> str:
    """Return the kind of marker of a setting, a key of MARKS.

    Args:
        setting: an experiment and its options.
    """
    experiment, *options = setting.split(" ")
    if set(CONTROLS) & set(options):
        return "control"
    tracks = {group.setting: group.track for group in GROUPS}
    if tracks.get(experiment) == FLINT:
        return "published"
    return "ours" if setting in tracks or setting in ("digits", "factors") else "other"


def picture(data: str, settings: Sequence[str], groups: Groups, theme: Theme) -> Frame:
    """Draw the panels of one data set in a row, with a legend of its settings.

    Args:
        data: the data set.
        settings: settings, in the order of their numbers.
        groups: runs by setting.
        theme: colours.
    """
    wide, tall = PANEL
    body = (LEFT + wide) * len(PANELS) + BETWEEN * (len(PANELS) - 1) - 0.5 * (len(PANELS) - 1)
    rows = -(-len(settings) // 2)
    height = ABOVE + tall + BELOW + 0.1 + rows * line(SMALL) + line(SMALL)
    words = Words(
        f"{DATA.get(data, data)}: fidelity, and what it costs or hides",
        "Test images; means over the seeds, bars are standard deviations, dashes the goals of our "
        "form. Controls explain nothing: where one lies next to ours, that panel does not separate "
        "them.",
    )
    frame = Frame(body, height, words, theme)
    points = {panel.key: _points(settings, groups, panel.key) for panel in PANELS}
    heights = [
        y for found in points.values() for p in found for y in (p.y - p.dy, min(1.0, p.y + p.dy))
    ]
    up = Scale.of(np.array([*heights, *_goals(data, "fidelity")]), log=False)
    for place, panel in enumerate(PANELS):
        goals = _goals(data, panel.key)
        across = Scale.of(
            np.array([x for p in points[panel.key] for x in (p.x - p.dx, p.x + p.dx)] + goals),
            log=False,
        )
        axes = _panel(frame, place * (LEFT + wide + BETWEEN - 0.5), panel, across, up)
        aims = [[(across.at(x), 0), (across.at(x), 1)] for x in goals] + [
            [(0, up.at(y)), (1, up.at(y))] for y in _goals(data, "fidelity")
        ]
        rules(axes, aims, theme.muted, wide=1.1, dashes=(0, (4, 3)), order=1.8)
        _place(axes, theme, points[panel.key], across, up)
    _legend(frame, ABOVE + tall + BELOW + 0.1, settings, groups)
    return frame


def _points(settings: Sequence[str], groups: Groups, key: str) -> list[Point]:
    found = []
    for number, setting in enumerate(settings, start=1):
        x, y = values(groups[setting], f"test/{key}"), values(groups[setting], "test/fidelity")
        if x:
            spread = [statistics.stdev(scores) if len(scores) > 1 else 0.0 for scores in (x, y)]
            found.append(
                Point(number, kind_of(setting), statistics.mean(x), statistics.mean(y), *spread)
            )
    return found


def _goals(data: str, key: str) -> list[float]:
    """Return the goals of our form; empty for a data set without goals."""
    bounds = [goal.bound("free", data, 1) for goal in GOALS if goal.key == key]
    return [bound for bound in bounds if bound is not None]


def _panel(frame: Frame, x: float, panel: Across, across: Scale, up: Scale) -> Axes:
    """Return bare axes with their ticks, grid and names."""
    theme, (wide, tall) = frame.theme, PANEL
    axes = frame.axes(x + LEFT, ABOVE, wide, tall)
    axes.set_autoscale_on(False)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    frame.text(x + LEFT, 0, f"fidelity and {panel.heading}", size=BODY, bold=True)
    for tick, words in up.ticks:
        place = ABOVE + tall * (1 - up.at(tick)) - line(SMALL) / 2
        frame.text(x + LEFT - 0.07, place, words, size=SMALL, colour=theme.muted, side="right")
    for tick, words in across.ticks:
        frame.text(
            x + LEFT + wide * across.at(tick),
            ABOVE + tall + 0.04,
            words,
            size=SMALL,
            colour=theme.muted,
            side="center",
        )
    frame.text(
        x + LEFT + wide / 2,
        ABOVE + tall + 0.2,
        panel.below,
        size=SMALL,
        colour=theme.muted,
        side="center",
    )
    rules(axes, [[(0, up.at(tick)), (1, up.at(tick))] for tick, _ in up.ticks], theme.faint)
    rules(
        axes,
        [[(across.at(tick), 0), (across.at(tick), 1)] for tick, _ in across.ticks],
        theme.faint,
    )
    rules(axes, [[(0, 0), (1, 0)], [(0, 0), (0, 1)]], theme.muted)
    return axes


def _place(axes: Axes, theme: Theme, points: Sequence[Point], across: Scale, up: Scale) -> None:
    """Draw the points, each with its number."""
    for point in points:
        _draw(axes, theme, point, across, up)
    for point, place in zip(points, _label_places(points, across, up), strict=True):
        label(axes, *place, str(point.number), colour=theme.ink, size=SMALL, zorder=4)


def _draw(axes: Axes, theme: Theme, point: Point, across: Scale, up: Scale) -> None:
    x, y = across.at(point.x), up.at(point.y)
    dx, dy = across.at(point.x + point.dx) - x, up.at(point.y + point.dy) - y
    look = _look(point.kind, theme)
    rules(
        axes,
        [[(x - dx, y), (x + dx, y)], [(x, y - dy), (x, y + dy)]],
        look["color"],
        wide=1.0,
        order=2,
    )
    axes.scatter([x], [y], zorder=3, clip_on=False, **look)


def _look(kind: str, theme: Theme) -> dict[str, Any]:
    marker, style = MARKS[kind]
    return {
        "s": 42,
        "marker": marker,
        "color": theme.categories[style],
        "edgecolors": theme.page,
        "linewidths": 0.6,
    }


def _label_places(points: Sequence[Point], across: Scale, up: Scale) -> list[tuple[float, float]]:
    """Return a place for each number, next to its marker and away from other marks."""
    markers = [(across.at(p.x), up.at(p.y)) for p in points]
    taken: list[tuple[float, float]] = []
    for place in markers:
        others = [*(marker for marker in markers if marker != place), *taken]
        places = [
            (min([CLEARANCE, *(_distance(at, other) for other in others)]), -ring, at)
            for ring, at in _around(place)
        ]
        taken.append(max(places)[2])
    return taken


def _around(place: tuple[float, float]) -> list[tuple[int, tuple[float, float]]]:
    """Return places around a marker, in rings; only those inside the panel, if there are any."""
    rings = [
        (ring, (x, y))
        for ring, inches in enumerate(RINGS)
        for x, y in _next_to(place, inches, SIDES if ring == 0 else FAR)
    ]
    return [
        (ring, at) for ring, at in rings if all(EDGE <= value <= 1 - EDGE for value in at)
    ] or rings


def _next_to(
    place: tuple[float, float], inches: float, sides: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    return [
        (place[0] + inches * dx / PANEL[0], place[1] + inches * dy / PANEL[1]) for dx, dy in sides
    ]


RINGS = (0.13, 0.24, 0.35)  # inches from a marker to its number
CLEARANCE = 0.13  # inches between numbers
SIDES = ((0.7, 0.75), (0.7, -0.75), (-0.7, 0.75), (-0.7, -0.75))  # bars run straight
FAR = (*SIDES, (1.0, 0.3), (-1.0, 0.3), (0.3, 1.0), (0.3, -1.0), (1.0, -0.3), (-0.3, -1.0))


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(np.hypot((one[0] - other[0]) * PANEL[0], (one[1] - other[1]) * PANEL[1]))


def _legend(frame: Frame, y: float, settings: Sequence[str], groups: Groups) -> None:
    """Draw the kinds of markers, then the settings by number, in two columns."""
    canvas, theme, x = frame.canvas(), frame.theme, LEFT
    for kind in dict.fromkeys(map(kind_of, settings)):
        canvas.scatter([x + 0.06], [y + line(SMALL) / 2], clip_on=False, **_look(kind, theme))
        frame.text(x + 0.18, y, KINDS[kind], size=SMALL)
        x += 0.4 + width(KINDS[kind], SMALL)
    half, rows = (frame.width - LEFT) / 2, -(-len(settings) // 2)
    for place, setting in enumerate(settings):
        seeds = len(groups[setting])
        entry = f"{place + 1}  {setting} ({seeds} seed{'s' * (seeds != 1)})"
        column, row = divmod(place, rows)
        frame.text(
            LEFT + half * column,
            y + line(SMALL) * (row + 1),
            shortened(entry, half - 0.1, SMALL),
            size=SMALL,
        )
