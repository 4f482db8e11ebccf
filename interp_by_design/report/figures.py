"""The figures of a report as PNG files, on light and on dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

import interp_by_design.visualize as visualize
from interp_by_design.files import replacing
from interp_by_design.report.page import ReportData
from interp_by_design.report.score_text import scores_of
from interp_by_design.visualize import DARK, LIGHT, Theme

FOLDER = "figures"
RESOLUTION = 100  # dots an inch
MAX_SHEETS = 64  # attributes that have a figure each, the most used ones; the page has all

Drawing = Callable[..., Figure]


def write_figures(folder: Path, data: ReportData) -> list[Path]:
    """Write `folder/figures/<name>.png` and `<name>_dark.png`.

    Args:
        folder: The run folder.
        data: What the figures show.

    Returns:
        Paths of the files.
    """
    drawings = {**_overall(data), **dict(_sheets(data)), **dict(_examples(data))}
    return [
        _write(folder, name, draw, theme)
        for name, draw in drawings.items()
        for theme in (LIGHT, DARK)
    ]


def _overall(data: ReportData) -> dict[str, Drawing]:
    found, run, classes, names = data.findings, data.run, data.class_names, data.run.names
    over, tau = f"{len(found.table):,} images of {found.split}", found.columns.tau
    drawings: dict[str, Drawing] = {
        "relevance_map": partial(
            visualize.relevance_map, found.overall, classes, names, tau, over=over
        ),
        "usage": partial(visualize.usage, found.overall.active_share, names, over=over),
        "confusion": partial(visualize.confusion, found.disagreement.confusion, classes, over=over),
    }
    if any("@" in key for key in run.scores):
        has_test = any("@" in key for key in scores_of(run.scores, "test"))
        split = "test" if has_test else "val"
        drawings["tau_curves"] = partial(visualize.tau_curves, run.scores, over=split)
    if run.history:
        drawings["loss_curves"] = partial(visualize.loss_curves, run.history)
    return drawings


def _sheets(data: ReportData) -> Iterator[tuple[str, Drawing]]:
    found, names = data.findings, data.run.names
    by_use = found.overall.active_share.argsort(descending=True, stable=True)
    used, over = by_use[:MAX_SHEETS].tolist(), found.sheets_split
    for sheet in found.sheets:
        if sheet.attribute in used:
            draw = partial(visualize.attribute_sheet, sheet, data.class_names, names, over=over)
            yield f"attribute_{sheet.attribute:03d}", draw


def _examples(data: ReportData) -> Iterator[tuple[str, Drawing]]:
    """The first images of the split, and the first one that f and g disagree on."""
    found, names = data.findings, data.run.names
    for row in found.example_rows:
        index = int(found.table.indices[row])
        yield (
            f"sample_{index}",
            partial(
                visualize.local_figure,
                data.images.examples[row],
                found.explanations[row],
                data.class_names,
                names,
                over=f"{found.split}, image {index}",
            ),
        )


def _write(folder: Path, name: str, draw: Drawing, theme: Theme) -> Path:
    path = folder / FOLDER / f"{name}{'_dark' if theme is DARK else ''}.png"
    with replacing(path) as file:
        draw(theme=theme).savefig(file, format="png", dpi=RESOLUTION)
    return path
