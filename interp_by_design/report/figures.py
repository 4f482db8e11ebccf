"""The figures of a report as PNG files, on light and on dark. Draws nothing itself, and knows nothing of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

import interp_by_design.visualize as visualize
from interp_by_design.explain import read_locally
from interp_by_design.files import replacing
from interp_by_design.report.history import History
from interp_by_design.report.page.content_builder import Explained
from interp_by_design.terms import AttributeNames
from interp_by_design.visualize import DARK, LIGHT, Theme

FOLDER = "figures"
RESOLUTION = 100  # dots an inch
MOST_SHEETS = 64  # attributes that have a figure each, the most used ones; the page has all
EXAMPLES = 4  # single images

Drawing = Callable[..., Figure]


def write_figures(
    folder: Path,
    explained: Explained,
    class_names: Sequence[str],
    names: AttributeNames,
    scores: Mapping[str, float],
    history: History,
) -> list[Path]:
    """Writes `folder/figures/<name>.png` and `<name>_dark.png`, and returns them; each is drawn once a theme."""
    drawings = {
        **_overall(explained, class_names, names, scores, history),
        **dict(_sheets(explained, class_names, names)),
        **dict(_examples(explained, class_names, names)),
    }
    return [
        _filed(folder, name, draw, theme)
        for name, draw in drawings.items()
        for theme in (LIGHT, DARK)
    ]


def _overall(
    explained: Explained,
    class_names: Sequence[str],
    names: AttributeNames,
    scores: Mapping[str, float],
    history: History,
) -> dict[str, Drawing]:
    over = f"{len(explained.table):,} images of {explained.split_name}"
    tau = explained.columns.tau
    drawn: dict[str, Drawing] = {
        "relevance_map": partial(
            visualize.relevance_map, explained.overall, class_names, names, tau, over=over
        ),
        "usage": partial(visualize.usage, explained.overall.active_share, names, over=over),
        "confusion": partial(
            visualize.confusion, explained.disagreement.confusion, class_names, over=over
        ),
    }
    if any("@" in key for key in scores):
        drawn["tau_curves"] = partial(
            visualize.tau_curves, scores, over="test" if _has(scores, "test/") else "val"
        )
    if history:
        drawn["loss_curves"] = partial(visualize.loss_curves, history)
    return drawn


def _sheets(
    explained: Explained, class_names: Sequence[str], names: AttributeNames
) -> Iterator[tuple[str, Drawing]]:
    used = explained.overall.active_share.argsort(descending=True, stable=True)[
        :MOST_SHEETS
    ].tolist()
    for sheet in explained.sheets:
        if sheet.attribute in used:
            yield (
                f"attribute_{sheet.attribute:03d}",
                partial(
                    visualize.attribute_sheet,
                    sheet,
                    class_names,
                    names,
                    over=explained.sheets_split,
                ),
            )


def _examples(
    explained: Explained, class_names: Sequence[str], names: AttributeNames
) -> Iterator[tuple[str, Drawing]]:
    """The first images of the split, and the first one that f and g disagree on."""
    table, differing = explained.table, explained.disagreement.rows[:1].tolist()
    for row in dict.fromkeys([*range(min(EXAMPLES, len(table))), *differing]):
        reading = read_locally(table, row, explained.columns.tau)
        image = explained.split.batch(table.indices[row : row + 1].clone()).images[0]
        over = f"{explained.split_name}, image {int(table.indices[row])}"
        yield (
            f"sample_{int(table.indices[row])}",
            partial(visualize.local_figure, image, reading, class_names, names, over=over),
        )


def _filed(folder: Path, name: str, draw: Drawing, theme: Theme) -> Path:
    path = folder / FOLDER / f"{name}{'_dark' if theme is DARK else ''}.png"
    with replacing(path) as file:
        draw(theme=theme).savefig(file, format="png", dpi=RESOLUTION)
    return path


def _has(scores: Mapping[str, float], prefix: str) -> bool:
    return any(key.startswith(prefix) and "@" in key for key in scores)
