from types import SimpleNamespace
from typing import cast

import pytest
import pytorch_lightning as pl
import torch

from interp_by_design.callbacks import Progress, Throughput
from interp_by_design.terms import Batch

MODULE = pl.LightningModule()


def test_throughput_counts_images_over_the_whole_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter((100.0, 104.0))
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    watch, trainer = Throughput(), cast("pl.Trainer", SimpleNamespace(world_size=1))
    watch.on_fit_start(trainer, MODULE)
    for n in (8, 8, 4):
        watch.on_train_batch_end(
            trainer,
            MODULE,
            None,
            Batch(torch.rand(n, 1, 2, 2), torch.zeros(n).long(), torch.arange(n)),
            0,
        )
    watch.on_fit_end(trainer, MODULE)
    assert watch.scores() == {"seconds": 4.0, "images_per_second": 5.0}


def test_progress_shows_the_numbers_that_matter() -> None:
    metrics = {
        "train/loss": torch.tensor(0.5),
        "val/fidelity": torch.tensor(0.9875),
        "val/kl": torch.tensor(3.0),
    }
    trainer = cast("pl.Trainer", SimpleNamespace(progress_bar_metrics=metrics))
    assert Progress().get_metrics(trainer, MODULE) == {"loss": "0.5000", "fidelity": "0.9875"}
