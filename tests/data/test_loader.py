"""Loaders under a real Trainer: a run that was interrupted sees what an unbroken one would have."""

from __future__ import annotations

import functools
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from interp_by_design.data import RandomFlip, RandomShift, Split, TensorData, TensorSplit
from interp_by_design.data.buffer_pool import BufferPool
from interp_by_design.data.loader import Batches, Loader
from interp_by_design.data.order import InOrder
from interp_by_design.terms import Batch, UserError

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),  # where there is one core
    pytest.mark.filterwarnings(
        "ignore:.*use of fork.. may lead to deadlocks:DeprecationWarning"
    ),  # from Python 3.12
]
EPOCHS = 3
BATCHES = 4


class Watcher(pl.LightningModule):
    """Records its batches, and saves a checkpoint at the end of the `stop`-th batch."""

    def __init__(self, stop: int | None = None, folder: Path | None = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.stop, self.folder = stop, folder
        self.seen: list[list[int]] = []
        self.sums: list[float] = []

    def training_step(self, batch: Batch, number: int) -> Tensor:
        self.seen.append(batch.indices.tolist())
        self.sums.append(float(batch.images.double().sum()))
        return self.weight * batch.images.mean()

    def on_train_batch_end(self, *_: Any) -> None:
        if len(self.seen) == self.stop:
            self.trainer.save_checkpoint(self.folder / "stopped.ckpt")
            raise KeyboardInterrupt

    def validation_step(self, batch: Batch, number: int) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trainer(**options: Any) -> pl.Trainer:
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return pl.Trainer(max_epochs=EPOCHS, accelerator="cpu", **{**quiet, **options})


def images(workers: int, seed: int = 1) -> TensorData:
    pixels = torch.arange(26 * 4, dtype=torch.uint8).view(26, 1, 2, 2)
    labels = torch.arange(26) % 2
    return TensorData(
        pixels,
        labels,
        ["a", "b"],
        (pixels[:4], labels[:4]),
        batch_size=5,
        validation=6,
        seed=seed,
        workers=workers,
        augmentation=RandomShift(1),
    )


def fit(watcher: Watcher, workers: int, resume: Path | None = None, **options: Any) -> Watcher:
    try:
        trainer(**options).fit(watcher, datamodule=images(workers), ckpt_path=resume)
    except SystemExit:
        assert len(watcher.seen) == watcher.stop
    return watcher


@functools.cache
def unbroken(workers: int) -> Watcher:
    whole = fit(Watcher(), workers)
    assert len(whole.seen) == EPOCHS * BATCHES
    return whole


@pytest.mark.parametrize(
    ("workers", "stop"),
    [
        *((0, stop) for stop in range(1, EPOCHS * BATCHES)),
        *((2, stop) for stop in (1, BATCHES, BATCHES + 1, 2 * BATCHES - 1)),
    ],
)
def test_resumed_in_mid_epoch_a_run_goes_on_with_the_next_batch(
    workers: int, stop: int, tmp_path: Path
) -> None:
    whole = unbroken(workers)
    stopped = fit(Watcher(stop, tmp_path), workers)
    resumed = fit(Watcher(), workers, tmp_path / "stopped.ckpt")
    assert stopped.seen + resumed.seen == whole.seen
    assert stopped.sums + resumed.sums == whole.sums  # augmented alike


class SavesEachEpoch(pl.Callback):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        trainer.save_checkpoint(self.folder / f"{trainer.current_epoch}.ckpt")


@pytest.mark.parametrize("workers", [0, 2])
def test_resumed_at_the_end_of_an_epoch_a_run_goes_on_with_the_next(
    workers: int, tmp_path: Path
) -> None:
    whole = fit(Watcher(), workers, callbacks=[SavesEachEpoch(tmp_path)])
    for epoch in range(EPOCHS - 1):
        resumed = fit(Watcher(), workers, tmp_path / f"{epoch}.ckpt")
        assert resumed.seen == whole.seen[(epoch + 1) * BATCHES :]


def test_an_epoch_that_is_cut_short_leaves_nothing_for_the_next(tmp_path: Path) -> None:
    whole = fit(Watcher(), 0, limit_train_batches=2)
    for stop in range(1, 2 * EPOCHS):
        stopped = fit(Watcher(stop, tmp_path), 0, limit_train_batches=2)
        resumed = fit(Watcher(), 0, tmp_path / "stopped.ckpt", limit_train_batches=2)
        assert stopped.seen + resumed.seen == whole.seen


def test_refuses_to_go_on_in_the_middle_of_another_order() -> None:
    first, other = images(0), images(0, seed=2)
    first.setup()
    other.setup()
    loader = first.train_dataloader()
    next(batches := iter(loader))
    with pytest.raises(UserError, match=r"'seed': 1.*'seed': 2.*same data and options"):
        other.train_dataloader().load_state_dict(loader.state_dict())
    _ = list(batches)
    other.train_dataloader().load_state_dict(
        loader.state_dict()
    )  # at the end of an epoch any order may follow


class ProbeSet(Split):
    """Counts what is decoded, and knows in how many threads."""

    def __init__(self, n: int = 12) -> None:
        self.labels, self.asked = torch.zeros(n, dtype=torch.int64), []

    image_shape = (1, 2, 2)

    def pixels(self, indices: Tensor) -> Tensor:
        if 7 in indices:
            raise UserError("'seven.jpg' cannot be read")
        self.asked += indices.tolist()
        return torch.full((len(indices), 1, 2, 2), torch.get_num_threads(), dtype=torch.uint8)

    def take(self, rows: Tensor) -> Split:
        raise NotImplementedError

    def fingerprint(self) -> str:
        raise NotImplementedError


def test_what_is_skipped_is_not_read() -> None:
    loader = Loader(Batches(split := ProbeSet()), InOrder(12, 2))
    loader.load_state_dict({"epoch": 0, "batch": 4, "order": loader.state_dict()["order"]})
    assert [batch.indices.tolist() for batch in loader] == [[8, 9], [10, 11]]
    assert split.asked == [8, 9, 10, 11]


def test_the_state_counts_what_was_handed_out_not_what_was_read_ahead() -> None:
    loader = Loader(Batches(ProbeSet(7)), InOrder(7, 1), num_workers=2)
    batches = iter(loader)
    for given in range(1, 7):
        next(batches)
        assert loader.state_dict()["batch"] == given
    next(batches)
    assert (loader.state_dict()["epoch"], loader.state_dict()["batch"]) == (1, 0)


def test_a_worker_runs_torch_on_one_thread() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        batch = next(iter(Loader(Batches(ProbeSet()), InOrder(12, 2), num_workers=1)))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(batch.images * 255, torch.ones(2, 1, 2, 2))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_reads_the_same_wherever_it_was_raised(workers: int) -> None:
    loader = Loader(Batches(ProbeSet()), InOrder(12, 2), num_workers=workers)
    with pytest.raises(UserError) as raised:
        list(loader)
    assert str(raised.value) == "'seven.jpg' cannot be read"


@pytest.mark.parametrize("workers", [0, 2])
def test_iterating_leaves_the_global_random_state_alone(workers: int) -> None:
    before = torch.get_rng_state()
    loader = Loader(Batches(ProbeSet(6)), InOrder(6, 2), num_workers=workers)
    for _ in range(2):
        assert len(list(loader)) == 3
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_pass_that_was_given_up_leaves_nothing_for_the_next(workers: int) -> None:
    loader = Loader(Batches(ProbeSet(6)), InOrder(6, 1), num_workers=workers)
    assert len(list(islice(loader, 2))) == 2
    assert [batch.indices.tolist() for batch in loader] == [[i] for i in range(6)]


class Darker:
    """An augmentation that wants floats, as those of users do."""

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        assert images.dtype == torch.float32
        return images * torch.rand(len(images), 1, 1, 1, generator=generator)


@pytest.mark.parametrize(
    "augmentation", [None, RandomFlip(), [RandomFlip(), RandomShift(1)], [RandomFlip(), Darker()]]
)
@pytest.mark.parametrize("kept", [torch.uint8, torch.float32])
def test_workers_read_what_this_process_reads(augmentation: Any, kept: torch.dtype) -> None:
    pixels = torch.arange(41 * 6, dtype=torch.uint8).view(41, 1, 2, 3)
    pixels = pixels if kept == torch.uint8 else pixels / 255
    labels = torch.arange(41) % 2
    options = {"batch_size": 3, "augmentation": augmentation}
    here, there = (
        TensorData(pixels, labels, ["a", "b"], **options, workers=workers) for workers in (0, 2)
    )
    here.setup()
    there.setup()
    first, second = here.train_dataloader(), there.train_dataloader()
    for epoch in range(2):
        first.sampler.set_epoch(epoch)
        second.sampler.set_epoch(epoch)
        for one, other in zip(list(first), list(second), strict=True):
            assert all(torch.equal(x, y) for x, y in zip(one, other, strict=True))


def test_a_batch_that_is_held_keeps_its_images() -> None:
    pixels = torch.arange(40, dtype=torch.uint8).view(10, 1, 2, 2)
    split = TensorSplit(pixels, torch.zeros(10, dtype=torch.int64))
    held = [batch.images[:, 0] for batch in Loader(Batches(split), InOrder(10, 2))]
    assert torch.equal(torch.cat(held), pixels[:, 0] / 255)


def test_memory_is_used_again_once_nobody_holds_a_view_of_it() -> None:
    memory, shape = BufferPool(), torch.Size([4, 3])
    first = memory.empty(shape)
    where, view = first.data_ptr(), first[1:].numpy()
    del first
    assert memory.empty(shape).data_ptr() != where
    del view
    assert where in (memory.empty(shape).data_ptr(), memory.empty(torch.Size([2, 3])).data_ptr())
