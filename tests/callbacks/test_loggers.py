"""Loggers in small runs of Lightning: files, resumed runs and failures."""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, Logger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader, TensorDataset

from interp_by_design.callbacks import CSV, Guarded, TensorBoard, announce, guarded, summarise
from interp_by_design.terms import UserError

CONFIG = {"seed": 3, "learning": {"beta": 0.5, "scheduler": None}, "layers": ["conv1", "fc1"]}
ORIGIN = {"revision": "abc123+", "versions": {"torch": "2.15"}, "command": "python train.py"}
SCORES = {"test/fidelity": 0.75, "test/conciseness@2": 3.5}
STEPS = 10  # an epoch
CONF = Path(__file__).parents[2] / "conf" / "logger"

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:Checkpoint directory .* is not empty"
    ),  # it is the run's own
    pytest.mark.filterwarnings(
        "ignore:You're resuming from a checkpoint that ended before"
    ),  # all batches are alike
]


class Line(pl.LightningModule):
    """y = wx by gradient descent; logs a loss in training, another one in validation."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.stop_after = stop_after

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        if self.trainer.global_step == self.stop_after:
            raise RuntimeError("power cut")
        loss = ((self.weight * batch[0] - 2 * batch[0]) ** 2).mean()
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val/loss", ((self.weight * batch[0] - 2 * batch[0]) ** 2).mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.1)


def fit(
    folder: Path, loggers: Mapping[str, Logger], *, stop_after: int | None = None, epochs: int = 3
) -> list[Logger]:
    """Train from the last checkpoint in `folder`, if any, and return the guarded loggers."""
    batches = DataLoader(TensorDataset(torch.ones(STEPS)), batch_size=1)
    last = folder / "last.ckpt"
    saving = ModelCheckpoint(folder, "last", every_n_train_steps=4, enable_version_counter=False)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=(given := guarded(loggers)),
        log_every_n_steps=3,
        callbacks=[saving],
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    announce(given, CONFIG, ORIGIN)
    trainer.fit(Line(stop_after), batches, batches, ckpt_path=str(last) if last.exists() else None)
    summarise(given, SCORES)
    return given


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "csv" / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The table of a run that was not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    fit(folder, {"csv": CSV(folder)})
    return (folder / "csv" / "metrics.csv").read_text()


def test_csv_holds_a_row_for_numbers_logged_together(whole: str) -> None:
    table = list(csv.DictReader(whole.splitlines()))
    assert list(table[0]) == ["epoch", "step", "train/loss", "val/loss"]
    assert [int(row["step"]) for row in table if row["train/loss"]] == [
        2,
        5,
        8,
        11,
        14,
        17,
        20,
        23,
        26,
        29,
    ]
    assert [int(row["step"]) for row in table if row["val/loss"]] == [9, 19, 29]
    assert float(table[0]["train/loss"]) > float(table[-1]["val/loss"]) > 0


@pytest.mark.parametrize("stop_after", [4, 7, 10, 13, 19, 22, 29])
def test_csv_of_a_resumed_run_equals_that_of_an_uninterrupted_one(
    tmp_path: Path, whole: str, stop_after: int
) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        fit(tmp_path, {"csv": CSV(tmp_path)}, stop_after=stop_after)
    fit(tmp_path, {"csv": CSV(tmp_path)})
    assert (tmp_path / "csv" / "metrics.csv").read_text() == whole


def test_csv_of_a_run_that_is_resumed_twice_and_once_from_its_start(
    tmp_path: Path, whole: str
) -> None:
    for stop_after in (3, 15, 27):  # no checkpoint was written before the first
        with pytest.raises(RuntimeError, match="power cut"):
            fit(tmp_path, {"csv": CSV(tmp_path)}, stop_after=stop_after)
    fit(tmp_path, {"csv": CSV(tmp_path)})
    assert (tmp_path / "csv" / "metrics.csv").read_text() == whole


@pytest.mark.parametrize("lost", [1, 3, 12])
def test_csv_repairs_a_row_that_was_cut_short(tmp_path: Path, lost: int) -> None:
    first = CSV(tmp_path)
    for step in range(3):
        first.log_metrics({"train/loss": step + 0.123456789}, step)
    file = tmp_path / "csv" / "metrics.csv"
    file.write_text(file.read_text()[:-lost])
    CSV(tmp_path).log_metrics({"train/loss": 9.5}, 7)
    assert [row["step"] for row in rows(tmp_path)] == ["0", "1", "7"]


def test_csv_appends_until_a_column_is_new_and_keeps_the_rows_before(tmp_path: Path) -> None:
    table, file = CSV(tmp_path), tmp_path / "csv" / "metrics.csv"
    table.log_metrics({"b": torch.tensor(0.5)}, 0)
    inode = file.stat().st_ino
    table.log_metrics({"b": 0.25}, 1)
    assert file.stat().st_ino == inode  # the same file, not a new one in its place
    table.log_metrics({"a": 1}, 2)
    assert file.read_text() == "a,b,step\n,0.5,0\n,0.25,1\n1,,2\n"
    assert [path.name for path in file.parent.iterdir()] == ["metrics.csv"]


def events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    return found


def test_tensorboard_holds_curves_config_and_scorecard(tmp_path: Path) -> None:
    fit(tmp_path, {"tensorboard": TensorBoard(tmp_path)})
    found = events(tmp_path)
    assert [point.step for point in found.Scalars("val/loss")] == [9, 19, 29]
    assert [(point.step, point.value) for point in found.Scalars("scorecard/test/fidelity")] == [
        (29, 0.75)
    ]
    card = found.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()
    assert '"beta": 0.5' in card
    assert '"revision": "abc123+"' in card
    table = found.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    assert b"learning/beta" in table
    assert b"origin/revision" in table
    assert (
        b"scorecard/test/conciseness@2"
        in found.summary_metadata["_hparams_/experiment"].plugin_data.content
    )


def test_tensorboard_of_a_resumed_run_has_each_step_once(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        fit(tmp_path, {"tensorboard": TensorBoard(tmp_path)}, stop_after=19)
    fit(tmp_path, {"tensorboard": TensorBoard(tmp_path)})
    found = events(tmp_path)
    assert [point.step for point in found.Scalars("train/loss")] == [
        2,
        5,
        8,
        11,
        14,
        17,
        20,
        23,
        26,
        29,
    ]
    assert len(found.Tensors("config/text_summary")) == 2  # once a session: the commands differ


def test_missing_tensorboard_is_refused_at_construction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "interp_by_design.callbacks.loggers.tensorboard.find_spec", lambda name: None
    )
    with pytest.raises(UserError, match=r"pip install interp_by_design\[tensorboard\]"):
        TensorBoard(tmp_path)


class Broken(Logger):
    """Fails in one method or property, and counts how often it was asked for any."""

    METHODS = (
        "log_metrics",
        "log_hyperparams",
        "log_graph",
        "save",
        "after_save_checkpoint",
        "finalize",
        "summarise",
    )
    PROPERTIES = (
        "name",
        "version",
        "save_dir",
        "log_dir",
        "root_dir",
        "group_separator",
        "experiment",
    )

    def __init__(self, broken: str, error: BaseException) -> None:
        self.broken, self.error, self.calls = broken, error, 0

    def _answer(self, asked: str) -> str:
        self.calls += 1
        if asked == self.broken:
            raise self.error
        return "fine"

    def log_metrics(self, *args: Any, **kwargs: Any) -> None:
        self._answer("log_metrics")

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        self._answer("log_hyperparams")

    def log_graph(self, *args: Any, **kwargs: Any) -> None:
        self._answer("log_graph")

    def save(self) -> None:
        self._answer("save")

    def after_save_checkpoint(self, checkpoint_callback: ModelCheckpoint) -> None:
        self._answer("after_save_checkpoint")

    def finalize(self, status: str) -> None:
        self._answer("finalize")

    def summarise(self, scores: Mapping[str, float]) -> None:
        self._answer("summarise")

    name = property(lambda self: self._answer("name"))
    version = property(lambda self: self._answer("version"))
    save_dir = property(lambda self: self._answer("save_dir"))
    log_dir = property(lambda self: self._answer("log_dir"))
    root_dir = property(lambda self: self._answer("root_dir"))
    group_separator = property(lambda self: self._answer("group_separator"))
    experiment = property(lambda self: self._answer("experiment"))


@pytest.mark.parametrize("broken", Broken.METHODS + Broken.PROPERTIES)
def test_a_failing_logger_stops_neither_the_run_nor_the_others(
    tmp_path: Path, whole: str, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    failing = Broken(broken, BrokenPipeError("nobody reads"))
    given = fit(tmp_path, {"mine": failing, "csv": CSV(tmp_path)})
    for property_ in Broken.PROPERTIES:
        getattr(given[0], property_)
    assert (tmp_path / "csv" / "metrics.csv").read_text() == whole
    messages = [
        record.getMessage() for record in caplog.records if record.levelno == logging.WARNING
    ]
    assert messages == [
        f"The logger mine failed ({broken}: BrokenPipeError: nobody reads). "
        "The run goes on without it."
    ]


def test_a_logger_that_failed_is_left_alone(tmp_path: Path) -> None:
    failing = Broken("log_metrics", OSError(28, "No space left on device"))
    [guard] = guarded({"mine": failing, "none": None})
    assert isinstance(guard, Guarded)
    for _ in range(3):
        guard.log_metrics({"loss": 1.0}, 0)
        guard.save()
    assert guard.failed
    assert failing.calls == 1
    guard.experiment.add_image("takes", "anything")


def test_an_interrupt_is_no_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        Guarded("mine", Broken("save", KeyboardInterrupt())).save()


@pytest.mark.parametrize("option", ["csv", "tensorboard", "wandb"])
def test_an_option_of_the_config_builds_its_logger(tmp_path: Path, option: str) -> None:
    config = OmegaConf.merge({"folder": str(tmp_path)}, OmegaConf.load(CONF / f"{option}.yaml"))
    [logger] = guarded({option: instantiate(config[option])})
    assert logger.save_dir == str(tmp_path)
    assert not list(tmp_path.iterdir())  # nothing is written before something is logged


def test_a_guard_shows_what_lightning_asks_of_a_logger(tmp_path: Path) -> None:
    table, board = guarded({"csv": CSV(tmp_path), "tensorboard": TensorBoard(tmp_path)})
    assert (table.name, table.version, table.save_dir) == ("", "csv", str(tmp_path))
    assert (board.save_dir, board.log_dir) == (str(tmp_path), str(tmp_path / "tensorboard"))
    assert isinstance(board, Guarded)
    assert type(board.experiment).__name__ == "SummaryWriter"
    assert isinstance(board.logger, TensorBoard)
    board.finalize("success")


def test_a_disk_that_is_full_costs_the_table_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "csv").write_text("a file where the folder should be")
    given = fit(tmp_path, {"csv": CSV(tmp_path), "tensorboard": TensorBoard(tmp_path)})
    assert [logger.failed for logger in given if isinstance(logger, Guarded)] == [True, False]
    assert len(events(tmp_path).Scalars("val/loss")) == 3
    assert "The logger csv failed (log_metrics: " in caplog.text


def test_a_logger_of_another_kind_gets_the_numbers_as_a_row(tmp_path: Path) -> None:
    summarise(guarded({"lightnings": CSVLogger(tmp_path, name="", version="csv")}), SCORES)
    assert rows(tmp_path) == [{"step": "0", **{key: str(value) for key, value in SCORES.items()}}]
