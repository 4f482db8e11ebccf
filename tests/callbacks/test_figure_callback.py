"""The base class of figure callbacks: when and where it shows, without effect on the run."""

from __future__ import annotations

import gc
import logging
import random
import weakref
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.utilities import rank_zero_only

from interp_by_design.callbacks.figure_callback import FigureCallback, Snapshot
from interp_by_design.callbacks.loggers import Drawing
from interp_by_design.terms import UserError
from tests.callbacks.fits import Plain, PowerCut, figure, fit


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("every", "epochs", "shown"),
    [
        (1, 3, [1, 2, 3]),
        (2, 5, [2, 4, 5]),
        (0.5, 4, [4]),
        (None, 3, [3]),
        (100, 2, [2]),
        (0.25, 1, [1]),
    ],
)
def test_it_is_shown_at_intervals_and_at_the_end(
    tmp_path: Path, every: Any, epochs: int, shown: list[int]
) -> None:
    plain = Plain(tmp_path, every)
    fit(tmp_path, [plain], epochs)
    assert plain.at == [(epoch, 3 * epoch - 1) for epoch in shown]
    assert files(tmp_path) == [
        f"figures/training/epoch_{epoch:04d}/plain/figure.png" for epoch in shown
    ]
    with Image.open(tmp_path / f"figures/training/epoch_{shown[0]:04d}/plain/figure.png") as drawn:
        assert drawn.size == (20, 10)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"max_steps": 5}, [(1, 2), (2, 4)]),
        ({"limit_val_batches": 0}, [(1, 2), (2, 5), (3, 8)]),
        ({"limit_train_batches": 1}, [(1, 0), (2, 1), (3, 2)]),
        ({"num_sanity_val_steps": 2}, [(1, 2), (2, 5), (3, 8)]),
        ({"check_val_every_n_epoch": 2}, [(1, 2), (2, 5), (3, 8)]),
        ({"val_check_interval": 1}, [(1, 2), (2, 5), (3, 8)]),
        ({"accumulate_grad_batches": 3}, [(1, 0), (2, 1), (3, 2)]),
        ({"fast_dev_run": True}, []),
    ],
)
def test_limits_of_the_trainer_hold(
    tmp_path: Path, options: dict[str, Any], shown: list[tuple[int, int]]
) -> None:
    plain = Plain(tmp_path, 1)
    fit(tmp_path, [plain], 3, **options)
    assert plain.at == shown
    assert len(files(tmp_path)) == len(shown)


def test_a_fit_that_stops_early_is_shown_at_its_end(tmp_path: Path) -> None:
    plain = Plain(tmp_path, None)
    stop = EarlyStopping("val/fidelity", patience=1, mode="min", min_delta=2.0)
    fit(tmp_path, [plain, stop], 50)
    assert plain.at == [(2, 5)]


class Wild(FigureCallback):
    """Does to model and generators what it must not, and is not held to it."""

    def show(self, snapshot: Snapshot) -> list[Drawing]:
        torch.manual_seed(7), random.seed(7), np.random.seed(7)
        torch.rand(10), random.random(), np.random.rand()
        snapshot.model.train()
        return [Drawing.from_figure("wild", "", figure())]


def test_weights_and_numbers_do_not_depend_on_what_is_shown(tmp_path: Path) -> None:
    without, with_it = (
        fit(tmp_path, callbacks, 3) for callbacks in ([], [Plain(tmp_path, 1), Wild(tmp_path, 1)])
    )
    assert len(files(tmp_path)) == 6
    states = [module.state_dict() for _, module in (without, with_it)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    numbers = [trainer.callback_metrics for trainer, _ in (without, with_it)]
    assert numbers[0].keys() == numbers[1].keys()
    assert all(torch.equal(numbers[0][key], numbers[1][key]) for key in numbers[0])
    optimisers = [trainer.optimizers[0].state_dict()["state"] for trainer, _ in (without, with_it)]
    assert all(
        torch.equal(optimisers[0][i]["exp_avg_sq"], optimisers[1][i]["exp_avg_sq"])
        for i in optimisers[0]
    )


class Modes(pl.Callback):
    """Notes what the model looks like at the start of each epoch."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
        hooks = sum(len(getattr(part, kind)) for part in pl_module.modules() for kind in kinds)
        learns = [parameter.requires_grad for parameter in pl_module.parameters()]
        self.seen.append((hooks, learns, [part.training for part in pl_module.modules()]))


def test_nothing_is_left_on_the_model(tmp_path: Path) -> None:
    modes = Modes()
    fit(tmp_path, [Plain(tmp_path, 1), modes], 3)
    assert modes.seen[0] == modes.seen[1] == modes.seen[2]


@final
class Keeping(FigureCallback):
    """Remembers what it saw without keeping it, and counts what lives."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: list[weakref.ref[Any]] = []
        self.alive: list[int] = []

    def show(self, snapshot: Snapshot) -> list[Drawing]:
        gc.collect()
        self.alive.append(sum(ref() is not None for ref in self.seen))
        self.seen.append(weakref.ref(snapshot.table))
        return []


def test_snapshots_are_released(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path, 1)
    fit(tmp_path, [keeping], 6)
    assert max(keeping.alive) <= 1, "the snapshot before, until this one takes its place"
    gc.collect()
    assert keeping.snapshot is None
    assert not any(ref() is not None for ref in keeping.seen)


def test_callbacks_with_the_same_images_share_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, asked = [], []
    from interp_by_design.callbacks.probe_set import ProbeSet

    table, of = ProbeSet.table, ProbeSet.from_data
    monkeypatch.setattr(
        ProbeSet, "table", lambda self, model: looks.append(len(self.images)) or table(self, model)
    )
    monkeypatch.setattr(
        ProbeSet, "from_data", classmethod(lambda cls, data, n: asked.append(n) or of(data, n))
    )
    fit(tmp_path, [Plain(tmp_path, 1, 8), Keeping(tmp_path, 2, 8), Wild(tmp_path, 2, 5)], 4)
    assert looks == [8, 8, 5, 8, 8, 5]
    assert asked == [8, 5]


@pytest.mark.parametrize("error", [RuntimeError("no font"), UserError("no font"), MemoryError()])
def test_an_error_is_logged_once_and_the_run_continues(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    failing, fine = Plain(tmp_path, 1, error=error), Keeping(tmp_path, 1)
    fit(tmp_path, [failing, fine], 3)
    assert len(failing.at) == len(fine.seen) == 3
    messages = [
        record.getMessage() for record in caplog.records if record.levelno == logging.WARNING
    ]
    assert len(messages) == 1
    assert messages[0].startswith("Plain could not show all of epoch 1 (")
    assert messages[0].endswith("The run goes on.")


def test_an_interrupt_is_no_failure(tmp_path: Path) -> None:
    plain = Plain(tmp_path, 1, error=KeyboardInterrupt())
    with pytest.raises(SystemExit):  # Lightning's answer
        fit(tmp_path, [plain], 3)
    assert len(plain.at) == 1
    assert plain.snapshot is None


def test_a_full_disk_is_logged_once_and_dashboards_get_the_figures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "figures").write_text("a file where the folder should be")
    fit(tmp_path, [Plain(tmp_path, 1)], 3, [board := Noting()])
    assert caplog.text.count("could not be written") == 1
    assert [step for _, step in board.drawings] == [2, 5, 8]


def test_a_disk_that_is_really_full(
    small_disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (small_disk / "film.mp4").write_bytes(bytes(2 * 2**20 - 4096 * 3))

    class Large(FigureCallback):
        def show(self, snapshot: Snapshot) -> list[Drawing]:
            return [Drawing("large", "", bytes(100_000))]

    fit(tmp_path, [Large(small_disk, 1)], 3)
    assert caplog.text.count("No space left on device") == 1
    assert files(small_disk) == ["film.mp4"]


class Noting(pl.loggers.Logger):
    """Logger that records the figures it is given, or fails at them."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error, self.drawings, self.numbers = error, list[tuple[str, int]](), 0

    name = version = property(lambda self: "noting")

    def log_metrics(self, *args: Any, **kwargs: Any) -> None:
        self.numbers += 1

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        pass

    def log_drawings(self, drawings: list[Drawing], step: int) -> None:
        if self.error is not None:
            raise self.error
        self.drawings += [(drawing.key, step) for drawing in drawings]

    def log_sheet(self, *args: Any) -> None:
        pass

    def log_page(self, *args: Any) -> None:
        pass


def test_a_logger_that_fails_costs_neither_the_files_nor_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loggers = [Noting(OSError("no network")), Noting()]
    fit(tmp_path, [Plain(tmp_path, 1)], 2, loggers)
    assert loggers[1].drawings == [("plain/figure", 2), ("plain/figure", 5)]
    assert len(files(tmp_path)) == 2
    assert "The logger Noting failed (log_drawings: OSError: no network)" in caplog.text


def test_only_the_first_process_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl.Trainer, "is_global_zero", property(lambda self: False))
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    fit(tmp_path, [plain := Plain(tmp_path, 1)], 2)
    assert plain.at == []
    assert files(tmp_path) == []


def test_a_resumed_fit_shows_what_an_unbroken_one_would(tmp_path: Path) -> None:
    whole, parts, kept = tmp_path / "whole", tmp_path / "parts", tmp_path / "kept.ckpt"
    fit(whole, [Plain(whole, 2)], 5)
    with pytest.raises(RuntimeError, match="power cut"):
        fit(parts, [Plain(parts, 2), PowerCut(kept, 3)], 5)
    fit(parts, [second := Plain(parts, 2)], 5, ckpt_path=str(kept))
    assert second.at == [(4, 11), (5, 14)]
    for name in files(whole):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_a_fit_that_was_over_shows_nothing_more(tmp_path: Path) -> None:
    trainer, _ = fit(tmp_path, [Plain(tmp_path, 1)], 2)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    fit(tmp_path, [again := Plain(tmp_path, 1)], 2, ckpt_path=str(tmp_path / "last.ckpt"))
    assert again.at == []


def test_a_module_without_an_interpretable_model_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = Plain(tmp_path, 1)

    class Other(pl.LightningModule):
        pass

    plain._epoch = 1
    trainer = pl.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    plain.on_train_end(trainer, Other())
    assert "Other has no InterpretableModel as its `model`" in caplog.text


@pytest.mark.parametrize("images", [0, -3, 1.5])
def test_a_number_of_images_is_checked(tmp_path: Path, images: Any) -> None:
    with pytest.raises(UserError, match="images must be a whole number"):
        Plain(tmp_path, 1, images)
