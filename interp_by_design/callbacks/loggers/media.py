"""Figures, tables and pages for loggers of this package and of Lightning."""

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

# Bytes of a page that a dashboard shows in a panel; a larger page is an artifact alone.
MAX_PANEL_BYTES = 8 * 2**20

Cell = str | int | float | None


@final
@dataclass(frozen=True)
class Drawing:
    """A figure as PNG.

    Args:
        key: Key such as `attributes/usage`, the same throughout a run.
        caption: What the figure shows.
        png: Content of the file.
    """

    key: str
    caption: str
    png: bytes

    @classmethod
    def from_figure(cls, key: str, caption: str, figure: Figure) -> Self:
        """Draw a figure, once for the disk and all dashboards.

        Args:
            key: Key such as `attributes/usage`.
            caption: What the figure shows.
            figure: The figure.

        Returns:
            The drawing.
        """
        # Loggers of numbers alone do not import matplotlib.
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas, file = FigureCanvasAgg(figure), io.BytesIO()
        canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib's
        # Level 1 takes a third of the time of zlib's default, and a quarter more space.
        # matplotlib has no types here.
        buffer = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
        pixels: NDArray[np.uint8] = np.asarray(buffer)
        Image.fromarray(pixels).convert("RGB").save(file, "png", compress_level=1)
        return cls(key, caption, file.getvalue())

    def picture(self) -> Image.Image:
        """Return the pixels.

        Returns:
            An RGB image.
        """
        return Image.open(io.BytesIO(self.png)).convert("RGB")

    def pixels(self) -> NDArray[np.uint8]:
        """Return the pixels.

        Returns:
            Values from 0 to 255, [h, w, 3].
        """
        return np.asarray(self.picture())


@final
@dataclass(frozen=True)
class Sheet:
    """A table.

    Args:
        key: Key such as `attributes/table`, the same throughout a run.
        columns: Names of columns.
        rows: Numbers and words, None for an empty cell.
    """

    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def markdown(self) -> str:
        """Format the table for TensorBoard.

        Returns:
            Markdown.
        """
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


@runtime_checkable
class MediaLogger(Protocol):
    """A logger that takes figures, tables and pages."""

    def log_drawings(self, drawings: Sequence[Drawing], step: int) -> None:
        """Log figures, each under its key.

        Args:
            drawings: The figures.
            step: Global step.
        """

    def log_sheet(self, sheet: Sheet, step: int) -> None:
        """Log a table.

        Args:
            sheet: The table.
            step: Global step.
        """

    def log_page(self, page: Path) -> None:
        """Log the report, one HTML file.

        Args:
            page: Path of the report.
        """


def show_drawings(logger: Logger, drawings: Sequence[Drawing], step: int) -> None:
    """Pass figures to a logger of any kind; one that shows no images ignores them.

    Args:
        logger: The logger.
        drawings: The figures.
        step: Global step.
    """
    if isinstance(logger, MediaLogger):
        logger.log_drawings(drawings, step)
    elif isinstance(logger, WandbLogger):
        for drawing in drawings:
            logger.log_image(drawing.key, [drawing.picture()], step, caption=[drawing.caption])
    # TensorBoard's writer, and others with its interface.
    elif callable(add := getattr(_experiment(logger), "add_image", None)):
        for drawing in drawings:
            add(drawing.key, drawing.pixels(), step, dataformats="HWC")


def show_sheet(logger: Logger, sheet: Sheet, step: int) -> None:
    """Pass a table to a logger of any kind; one that shows no tables ignores it.

    Args:
        logger: The logger.
        sheet: The table.
        step: Global step.
    """
    if isinstance(logger, MediaLogger):
        logger.log_sheet(sheet, step)
    elif isinstance(logger, WandbLogger):
        logger.log_table(
            sheet.key, list(sheet.columns), [list(row) for row in sheet.rows], step=step
        )
    elif callable(add := getattr(_experiment(logger), "add_text", None)):
        add(sheet.key, sheet.markdown(), step)


def show_page(logger: Logger, page: Path) -> None:
    """Pass the report to a logger that takes pages.

    Args:
        logger: The logger.
        page: Path of the report.
    """
    if isinstance(logger, MediaLogger):
        logger.log_page(page)
    elif isinstance(logger, WandbLogger):
        log_page_artifact(logger.experiment, page)


def log_page_artifact(run: Run, page: Path) -> None:
    """Log a page as an artifact of type "report", and as a panel if it is small.

    Args:
        run: wandb's run.
        page: Path of the page.
    """
    import wandb

    artifact = wandb.Artifact(f"report-{run.id}", type="report")
    artifact.add_file(str(page), name=page.name)
    run.log_artifact(artifact)
    if page.stat().st_size <= MAX_PANEL_BYTES:
        run.log({"report/page": wandb.Html(page, inject=False)})


def _experiment(logger: Logger) -> Any:
    """The object that a logger writes to, if it has one."""
    return getattr(logger, "experiment", None)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return (
        f"{value:.3g}"
        if isinstance(value, float)
        else str(value).replace("|", "\\|").replace("\n", " ")
    )
