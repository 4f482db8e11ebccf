"""Figures, tables and pages as loggers take them, ours and Lightning's own. Does not know what is shown in them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, final, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pytorch_lightning.loggers import Logger, WandbLogger

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from wandb import Run

PANEL = (
    8 * 2**20
)  # bytes of a page that a dashboard shows in a panel; a larger one is opened from its artifact

Cell = str | int | float | None


@final
@dataclass(frozen=True)
class Drawing:
    """A figure as PNG. `key` is the same all through a run, such as `attributes/usage`; `caption` says what is seen."""

    key: str
    caption: str
    png: bytes

    @classmethod
    def of(cls, key: str, caption: str, figure: Figure) -> Self:
        """The figure, drawn once for the disk and all dashboards."""
        from matplotlib.backends.backend_agg import (
            FigureCanvasAgg,
        )  # loggers of numbers alone need not wait for it

        canvas, file = FigureCanvasAgg(figure), io.BytesIO()
        canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib's
        # Level 1 takes a third of the time of zlib's default, and a quarter more room.
        pixels: NDArray[np.uint8] = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]  # matplotlib's
        Image.fromarray(pixels).convert("RGB").save(file, "png", compress_level=1)
        return cls(key, caption, file.getvalue())

    def picture(self) -> Image.Image:
        """Its pixels, RGB."""
        return Image.open(io.BytesIO(self.png)).convert("RGB")

    def pixels(self) -> NDArray[np.uint8]:
        """Its pixels [h, w, 3]."""
        return np.asarray(self.picture())


@final
@dataclass(frozen=True)
class Sheet:
    """A table under its key: names of columns, and rows of numbers and words, None where there is nothing to say."""

    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def markdown(self) -> str:
        """As text that TensorBoard draws as a table."""
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


@runtime_checkable
class Shows(Protocol):
    """What a logger can do that shows more than numbers."""

    def log_drawings(self, drawings: Sequence[Drawing], step: int) -> None:
        """Shows the figures at a global step, each under its key."""

    def log_sheet(self, sheet: Sheet, step: int) -> None:
        """Shows a table at a global step."""

    def log_page(self, page: Path) -> None:
        """Takes in the report, one HTML file."""


def show_drawings(logger: Logger, drawings: Sequence[Drawing], step: int) -> None:
    """Hands the figures to a logger of whatever kind; one that shows no images is left alone."""
    if isinstance(logger, Shows):
        logger.log_drawings(drawings, step)
    elif isinstance(logger, WandbLogger):
        for drawing in drawings:
            logger.log_image(drawing.key, [drawing.picture()], step, caption=[drawing.caption])
    elif callable(
        add := getattr(_experiment(logger), "add_image", None)
    ):  # TensorBoard's writer, and others of its form
        for drawing in drawings:
            add(drawing.key, drawing.pixels(), step, dataformats="HWC")


def show_sheet(logger: Logger, sheet: Sheet, step: int) -> None:
    """Hands a table to a logger of whatever kind; one that shows no tables is left alone."""
    if isinstance(logger, Shows):
        logger.log_sheet(sheet, step)
    elif isinstance(logger, WandbLogger):
        logger.log_table(
            sheet.key, list(sheet.columns), [list(row) for row in sheet.rows], step=step
        )
    elif callable(add := getattr(_experiment(logger), "add_text", None)):
        add(sheet.key, sheet.markdown(), step)


def show_page(logger: Logger, page: Path) -> None:
    """Hands the report to a logger that takes pages."""
    if isinstance(logger, Shows):
        logger.log_page(page)
    elif isinstance(logger, WandbLogger):
        keep_page(logger.experiment, page)


def keep_page(run: Run, page: Path) -> None:
    """The page as an artifact of wandb's `run`, of type "report"; where it is small, as a panel too."""
    import wandb

    artifact = wandb.Artifact(f"report-{run.id}", type="report")
    artifact.add_file(str(page), name=page.name)
    run.log_artifact(artifact)
    if page.stat().st_size <= PANEL:
        run.log({"report/page": wandb.Html(page, inject=False)})


def _experiment(logger: Logger) -> Any:
    """What a logger writes to, where it has such a thing."""
    return getattr(logger, "experiment", None)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return (
        f"{value:.3g}"
        if isinstance(value, float)
        else str(value).replace("|", "\\|").replace("\n", " ")
    )
