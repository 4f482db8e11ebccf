"""Orders over several ranks: every image once, equally many batches, none of them empty."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.distributed as dist
from hypothesis import given, settings
from hypothesis import strategies as st

from interp_by_design.data.order import InOrder, Order, Shuffled
from interp_by_design.terms import UserError


def on_ranks(ranks: int, order: Callable[[], Order]) -> list[Order]:
    """What each of the ranks would make, without starting any."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dist, "is_initialized", lambda: True)
        patch.setattr(dist, "get_world_size", lambda: ranks)
        made = []
        for rank in range(ranks):
            patch.setattr(dist, "get_rank", lambda rank=rank: rank)
            made.append(order())
    return made


@settings(max_examples=50)
@given(st.integers(1, 60), st.integers(2, 9), st.integers(1, 5))
def test_ranks_share_what_is_evaluated(n: int, batch_size: int, ranks: int) -> None:
    if n < ranks:
        with pytest.raises(UserError, match=f"{n} images cannot be shared among {ranks} processes"):
            on_ranks(ranks, lambda: InOrder(n, batch_size))
        return
    seen = [
        [request.indices.tolist() for request in order]
        for order in on_ranks(ranks, lambda: InOrder(n, batch_size))
    ]
    assert sorted(index for rank in seen for batch in rank for index in batch) == list(range(n))
    assert len({len(rank) for rank in seen}) == 1
    assert all(1 <= len(batch) <= batch_size for rank in seen for batch in rank)


@given(st.integers(1, 60), st.integers(1, 9))
def test_one_rank_sees_batches_as_they_lie(n: int, batch_size: int) -> None:
    order = InOrder(n, batch_size)
    assert [request.indices.tolist() for request in order] == [
        list(range(n))[i : i + batch_size] for i in range(0, n, batch_size)
    ]
    assert len(order) == len(list(order))


def test_what_is_not_dealt_out_is_whole_on_every_rank() -> None:
    for order in on_ranks(3, lambda: InOrder(10, 4, sharded=False)):
        assert torch.cat([request.indices for request in order]).tolist() == list(range(10))


@settings(max_examples=50)
@given(st.integers(4, 60), st.integers(1, 9), st.integers(1, 4))
def test_ranks_share_what_is_trained_on(n: int, batch_size: int, ranks: int) -> None:
    orders = on_ranks(ranks, lambda: Shuffled(n, batch_size, seed=3))
    seen = [[request.indices.tolist() for request in order] for order in orders]
    flat = [index for rank in seen for batch in rank for index in batch]
    assert len(flat) == len(set(flat))
    assert len({len(batch) for rank in seen for batch in rank}) == 1
    assert {len(rank) for rank in seen} == {len(orders[0])}
    numbers = [request.batch for order in orders for request in order]
    assert len(numbers) == len(set(numbers))


def test_training_wants_an_image_for_every_rank() -> None:
    with pytest.raises(
        UserError, match=r"2 images cannot be shared among 3 processes.*trainer\.devices=2"
    ):
        on_ranks(3, lambda: Shuffled(2, 1, seed=0))


def test_a_pass_begins_where_it_is_set_to_until_another_epoch_comes() -> None:
    order = Shuffled(20, 4, seed=0)
    order.start_at(2, 3)
    order.set_epoch(2)
    assert [request.batch for request in order] == [3, 4]
    order.set_epoch(3)
    assert [(request.epoch, request.batch) for request in order] == [(3, i) for i in range(5)]
