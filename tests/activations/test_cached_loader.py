"""The order of recorded rows under a real Trainer, and over ranks: resumable, whole, and mixed."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from interp_by_design.activations import CachedData, cached_activations
from interp_by_design.activations.stored_order import N_MIXED_SHARDS, Grouped, Storing
from interp_by_design.terms import BatchWithActivations, UserError
from tests.activations.cached import N_VAL, N, on_disk, small_data, small_predictor
from tests.data.test_loader import Watcher, trainer
from tests.data.test_order import on_ranks

EPOCHS = 3
BATCHES = (N - N_VAL) // 7


class Reader(Watcher):
    """Notes what it is given."""

    def training_step(self, batch: BatchWithActivations, number: int) -> Tensor:
        self.seen.append(batch.batch.indices.tolist())
        self.sums.append(float(sum(layer.double().sum() for layer in batch.seen.hidden)))
        return self.weight * batch.seen.logits.mean()


@functools.cache
def passes(seed: int = 3) -> CachedData:
    found = cached_activations(small_predictor(), small_data(seed=seed), on_disk(Path(folder.name)))
    assert found is not None
    return found


folder = tempfile.TemporaryDirectory()


def fit(reader: Reader, resume: Path | None = None, **options: Any) -> Reader:
    try:
        loaders = passes().train_dataloader(), passes().val_dataloader()
        trainer(**options).fit(reader, *loaders, ckpt_path=resume)
    except SystemExit:
        assert len(reader.seen) == reader.stop
    return reader


@functools.cache
def unbroken() -> Reader:
    whole = fit(Reader())
    assert len(whole.seen) == EPOCHS * BATCHES
    return whole


@pytest.mark.parametrize(
    "stop", [1, BATCHES - 1, BATCHES, BATCHES + 1, 2 * BATCHES - 1, 2 * BATCHES + 5]
)
def test_resumed_in_mid_epoch_a_run_goes_on_with_the_next_batch(stop: int, tmp_path: Path) -> None:
    whole, stopped = unbroken(), fit(Reader(stop, tmp_path))
    resumed = fit(Reader(), tmp_path / "stopped.ckpt")
    assert stopped.seen + resumed.seen == whole.seen
    assert stopped.sums + resumed.sums == whole.sums


def test_each_epoch_has_its_own_order() -> None:
    seen = unbroken().seen
    assert seen[:BATCHES] != seen[BATCHES : 2 * BATCHES]


def test_refuses_to_go_on_in_the_middle_of_another_order() -> None:
    loader = passes().train_dataloader()
    next(batches := iter(loader))
    with pytest.raises(
        UserError, match=r"'seed': 3.*'rows_per_shard': 8.*'seed': 4.*same data and options"
    ):
        passes(seed=4).train_dataloader().load_state_dict(loader.state_dict())
    with pytest.raises(UserError, match="same data and options"):
        small_data_loader().load_state_dict(loader.state_dict())
    _ = list(batches)
    passes(seed=4).train_dataloader().load_state_dict(loader.state_dict())


def small_data_loader() -> Any:
    return small_data().train_dataloader()


def test_what_is_skipped_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = passes().train_dataloader()
    wanted = [batch.batch.indices.tolist() for batch in loader][-1:]
    loader.load_state_dict(
        {"epoch": 0, "batch": BATCHES - 1, "order": loader.state_dict()["order"]}
    )
    opened: list[int] = []
    shard = loader.store.shard
    monkeypatch.setattr(
        loader.store, "shard", lambda number: opened.append(number) or shard(number)
    )
    assert [batch.batch.indices.tolist() for batch in loader] == wanted
    assert len(opened) <= N_MIXED_SHARDS


def test_a_batch_that_is_held_keeps_its_values() -> None:
    held = list(passes().in_order("train"))
    for kept, fresh in zip(held, passes().in_order("train"), strict=True):
        assert torch.equal(kept.seen.hidden[0], fresh.seen.hidden[0])
        assert torch.equal(kept.batch.images, fresh.batch.images)


def test_a_pass_that_was_given_up_leaves_nothing_for_the_next() -> None:
    loader = passes().train_dataloader()
    next(iter(loader))
    assert len(list(loader)) == BATCHES


@settings(max_examples=60)
@given(st.integers(4, 80), st.integers(1, 9), st.integers(1, 4), st.integers(1, 30))
def test_ranks_share_what_is_trained_on(
    n: int, batch_size: int, ranks: int, rows_per_shard: int
) -> None:
    orders = on_ranks(ranks, lambda: Grouped(n, batch_size, 3, rows_per_shard))
    seen = [[pick.indices.tolist() for pick in order] for order in orders]
    flat = [index for rank in seen for batch in rank for index in batch]
    assert len(flat) == len(set(flat))
    assert {len(rank) for rank in seen} == {len(orders[0])}
    sizes = {len(batch) for rank in seen for batch in rank}
    assert sizes == {batch_size} or len(orders[0]) == 1
    assert all(batch == sorted(batch) for rank in seen for batch in rank)


def test_rows_come_group_by_group_and_mixed_within() -> None:
    order = Grouped(160, 4, 0, rows_per_shard=5)
    groups = torch.cat(order.batches()).view(-1, N_MIXED_SHARDS * 5)
    for group in groups:
        assert len((group // 5).unique()) == N_MIXED_SHARDS
    assert len({tuple(sorted((group // 5).unique().tolist())) for group in groups}) == 160 // 20
    batch = order.batches()[0]
    assert len((batch // 5).unique()) > 1


@pytest.mark.parametrize("permuted", [False, True])
def test_what_is_stored_is_each_row_once_anything_the_seed(permuted: bool) -> None:
    stored = torch.cat([pick.indices for pick in Storing(20, 6, permuted)])
    assert sorted(stored.tolist()) == list(range(20))
    assert (stored.tolist() == list(range(20))) is not permuted
    assert torch.equal(stored, torch.cat([pick.indices for pick in Storing(20, 6, permuted)]))
