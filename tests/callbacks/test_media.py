"""Figures, tables and pages in TensorBoard's files and with other loggers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from interp_by_design.callbacks import CSV, TensorBoard
from interp_by_design.callbacks.loggers import Drawing, Guarded, Sheet, guards, publish
from tests.callbacks.fits import Plain, PowerCut, fit
from tests.callbacks.test_loggers import Broken

SHEET = Sheet(
    "attributes/table",
    ("attribute", "name", "share"),
    (("φ0", "a | b\nc", 0.12345), ("φ1", None, 1.0)),
)


def blue(width: float = 2, height: float = 1) -> Figure:
    return Figure(figsize=(width, height), dpi=50, facecolor="#0000ff")


def drawing(key: str = "attributes/usage") -> Drawing:
    return Drawing.from_figure(key, "how often", blue())


def events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder), size_guidance={"images": 0, "tensors": 0})
    found.Reload()
    return found


def decoded(image: Any) -> Image.Image:
    return Image.open(io.BytesIO(image.encoded_image_string))


def test_a_drawing_holds_the_figure_pixel_by_pixel() -> None:
    pixels = drawing().pixels()
    assert pixels.shape == (50, 100, 3)
    assert (pixels == np.array([0, 0, 255])).all()


def test_a_drawing_does_not_depend_on_settings_of_the_user() -> None:
    with rc_context({"savefig.bbox": "tight", "savefig.dpi": 300, "savefig.facecolor": "red"}):
        other = drawing()
    assert other.png == drawing().png


def test_a_table_as_text() -> None:
    assert SHEET.markdown().splitlines() == [
        "| attribute | name | share |",
        "| --- | --- | --- |",
        "| φ0 | a \\| b c | 0.123 |",
        "| φ1 |  | 1 |",
    ]


@pytest.mark.parametrize(
    "make", [TensorBoard, lambda folder: TensorBoardLogger(folder, name="", version="tensorboard")]
)
def test_tensorboard_shows_figures_and_tables_at_their_steps(tmp_path: Path, make: Any) -> None:
    fit(tmp_path, [Plain(tmp_path, 2)], 4, guards([make(tmp_path)]))
    found = events(tmp_path / "tensorboard")
    images = found.Images("plain/figure")
    assert [image.step for image in images] == [5, 11]
    with Image.open(tmp_path / "figures/training/epoch_0004/plain/figure.png") as filed:
        assert (np.asarray(decoded(images[1])) == np.asarray(filed)).all()
    tables = found.Tensors("plain/table/text_summary")
    assert [text.step for text in tables] == [5, 11]
    assert tables[1].tensor_proto.string_val[0].decode().splitlines()[2].startswith("| 4 | ")
    assert [point.step for point in found.Scalars("val/fidelity")] == [2, 5, 8, 11]


def test_tensorboard_of_a_resumed_run_has_each_figure_once(tmp_path: Path) -> None:
    kept = tmp_path / "kept.ckpt"
    with pytest.raises(RuntimeError, match="power cut"):
        fit(tmp_path, [Plain(tmp_path, 1), PowerCut(kept, 2)], 4, guards([TensorBoard(tmp_path)]))
    fit(tmp_path, [Plain(tmp_path, 1)], 4, guards([TensorBoard(tmp_path)]), ckpt_path=str(kept))
    assert [image.step for image in events(tmp_path / "tensorboard").Images("plain/figure")] == [
        2,
        5,
        8,
        11,
    ]


def test_tensorboard_forgets_later_figures_when_the_first_that_a_session_logs_is_one(
    tmp_path: Path,
) -> None:
    for steps in (range(6), range(3, 5)):
        board = TensorBoard(tmp_path)
        for step in steps:
            board.log_drawings([drawing()], step)
            board.log_metrics({"loss": 1.0}, step)
        board.finalize("success")
    found = events(tmp_path / "tensorboard")
    assert [image.step for image in found.Images("attributes/usage")] == [0, 1, 2, 3, 4]
    assert [point.step for point in found.Scalars("loss")] == [0, 1, 2, 3, 4]


def test_tensorboard_says_where_the_page_is(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    board.log_page(tmp_path / "report.html")
    board.finalize("success")
    [text] = events(tmp_path / "tensorboard").Tensors("report/page/text_summary")
    assert str(tmp_path / "report.html") in text.tensor_proto.string_val[0].decode()


@pytest.mark.parametrize("make", [CSV, lambda folder: CSVLogger(folder, name="", version="csv")])
def test_a_logger_of_numbers_alone_is_left_alone(tmp_path: Path, make: Any) -> None:
    [guard] = guards([make(tmp_path)])
    publish(guard, [drawing(), SHEET], 3)
    guard.log_page(tmp_path / "report.html")
    assert not guard.failed
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("broken", ["log_drawings", "log_sheet", "log_page"])
def test_a_failing_logger_is_logged_once_and_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    failing = Media(broken, BrokenPipeError("nobody reads"))
    [guard] = guards([failing])
    for step in range(2):
        publish(guard, [drawing(), SHEET], step)
        guard.log_page(tmp_path)
    assert guard.failed
    assert caplog.text.count("The logger Media failed") == 1
    assert f"({broken}: BrokenPipeError: nobody reads)" in caplog.text
    calls = failing.calls
    guard.log_metrics({"loss": 1.0}, 3)
    assert failing.calls == calls


class Media(Broken):
    def log_drawings(self, *args: Any) -> None:
        self._answer("log_drawings")

    def log_sheet(self, *args: Any) -> None:
        self._answer("log_sheet")

    def log_page(self, *args: Any) -> None:
        self._answer("log_page")


def test_what_is_guarded_is_not_guarded_again() -> None:
    inner: Logger = Broken("save", OSError())
    [guard] = guards([inner])
    assert isinstance(guard, Guarded)
    assert guards([guard]) == [guard]
