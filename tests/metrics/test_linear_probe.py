import math

import pytest
import torch
from torch import Tensor

from interp_by_design.metrics import fit_probe, linear_ceiling
from interp_by_design.terms import UserError


def planted(
    n: int, rank: int, n_classes: int = 10, features: int = 30, seed: int = 1
) -> tuple[Tensor, Tensor]:
    """Return features, and logits that are a linear map of them, of this rank."""
    fixed, draws = torch.Generator().manual_seed(0), torch.Generator().manual_seed(seed)
    down, up = (
        torch.randn(features, rank, generator=fixed),
        torch.randn(rank, n_classes, generator=fixed),
    )
    scale = torch.logspace(-3, 3, features)
    seen = torch.randn(n, features, generator=draws)
    return seen * scale + 5 * scale, 2 * seen @ down @ up / features**0.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_planted_rank_is_enough_and_less_is_not(dtype: torch.dtype) -> None:
    train, test = planted(1500, rank=4), planted(400, rank=4, seed=2)
    found = linear_ceiling(
        train[0].to(dtype), train[1], test[0].to(dtype), test[1], [1, 2, 4, 20], seed=0
    )
    assert list(found) == [1, 2, 4, 20, None]
    assert found[1] < found[2] < 0.9
    assert found[4] > 0.97
    assert found[20] == found[None] > 0.97


def test_soft_decisions_are_followed_where_squared_error_looks_elsewhere() -> None:
    # The largest part of the logits does not change any decision: least squares of rank 1 spends
    # its one direction on it.
    draws = torch.Generator().manual_seed(0)
    features = torch.randn(1200, 6, generator=draws)
    logits = torch.stack(
        [
            3 * features[:, 0],
            -3 * features[:, 0],
            20 * features[:, 1] - 100,
            -20 * features[:, 1] - 100,
        ],
        dim=1,
    )
    found = linear_ceiling(
        features[:1000], logits[:1000], features[1000:], logits[1000:], [1], seed=0
    )
    assert found[None] > 0.95
    assert found[1] > 0.8


def test_no_better_than_chance_where_features_are_random() -> None:
    draws = torch.Generator().manual_seed(0)
    features, logits = torch.randn(900, 20, generator=draws), torch.randn(900, 5, generator=draws)
    found = linear_ceiling(features[:600], logits[:600], features[600:], logits[600:], [2], seed=0)
    assert max(found.values()) < 0.35


def test_few_rows_for_many_features_and_classes() -> None:
    train, test = (
        planted(60, rank=5, n_classes=200, features=300),
        planted(50, rank=5, n_classes=200, features=300, seed=2),
    )
    found = linear_ceiling(*train, *test, [5, 36], seed=0)
    assert all(0 <= value <= 1 for value in found.values())


def test_constant_features_do_no_harm() -> None:
    train, test = planted(300, rank=2), planted(100, rank=2, seed=2)
    train[0][:, :20], test[0][:, :20] = 0.1, 7.0
    assert all(
        math.isfinite(value) for value in linear_ceiling(*train, *test, [2], seed=0).values()
    )


def test_the_same_seed_gives_the_same_and_leaves_the_random_state() -> None:
    train, test = planted(300, rank=3), planted(100, rank=3, seed=2)
    first = linear_ceiling(*train, *test, [2, 3], seed=0)
    torch.manual_seed(4)
    state = torch.get_rng_state()
    assert linear_ceiling(*train, *test, [2, 3], seed=0) == first
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("rank", [0, -1, True])
def test_what_is_no_rank_is_refused(rank: int) -> None:
    train = planted(50, rank=2)
    with pytest.raises(UserError, match="A rank must be a whole number of at least 1"):
        linear_ceiling(*train, *train, [2, rank], seed=0)


def test_too_few_rows_and_rows_that_do_not_fit_are_refused() -> None:
    train = planted(50, rank=2)
    with pytest.raises(UserError, match="at least 10 train rows and one test row, not 9 and 50"):
        linear_ceiling(train[0][:9], train[1][:9], *train, [2], seed=0)
    with pytest.raises(UserError, match=r"takes features \[n, d\] and logits \[n, C\]"):
        linear_ceiling(*train, train[0][:, :7], train[1], [2], seed=0)
    with pytest.raises(UserError, match=r"takes features \[n, d\] and logits \[n, C\]"):
        linear_ceiling(train[0][:40], train[1], *train, [2], seed=0)


@pytest.mark.parametrize("which", range(4))
def test_what_is_not_finite_is_named(which: int) -> None:
    columns = [part.clone() for part in (*planted(50, rank=2), *planted(50, rank=2))]
    columns[which][3] = math.nan
    name = ("train_features", "train_logits", "test_features", "test_logits")[which]
    with pytest.raises(UserError, match=f"'{name}' holds NaN or an infinity in 1 of 50"):
        linear_ceiling(*columns, [2], seed=0)


def test_a_probe_follows_logits_and_scores_other_rows_as_the_ceiling_does() -> None:
    train, test = planted(600, rank=3), planted(200, rank=3, seed=2)
    ceiling = linear_ceiling(*train, *test, [2, 3], seed=0)
    for rank in (2, 3, None):
        probe = fit_probe(*train, seed=0, rank=rank)
        assert probe.rank == (rank or 10)
        assert probe.score(*test) == ceiling[rank]
        assert abs(probe.fidelity - ceiling[rank]) < 0.15
        same = probe.logits(test[0]).argmax(dim=1) == test[1].argmax(dim=1)
        assert probe.score(*test) == float(same.double().mean())


def test_a_probe_of_labels_finds_the_planted_classes() -> None:
    train, test = planted(1000, rank=3, n_classes=4), planted(300, rank=3, n_classes=4, seed=2)
    probe = fit_probe(train[0], train[1].argmax(dim=1), seed=0)
    assert probe.fidelity > 0.9
    assert probe.score(test[0], test[1].argmax(dim=1)) == probe.score(*test) > 0.85


def test_what_no_probe_can_be_fitted_to_is_refused() -> None:
    features, logits = planted(50, rank=2)
    labels = logits.argmax(dim=1)
    with pytest.raises(UserError, match=r"features \[n, d\], and logits"):
        fit_probe(features, labels.float(), seed=0)
    with pytest.raises(UserError, match=r"features \[n, d\], and logits"):
        fit_probe(features[:40], labels, seed=0)
    with pytest.raises(UserError, match="at least 10 rows"):
        fit_probe(features[:9], labels[:9], seed=0)
    with pytest.raises(UserError, match="two classes"):
        fit_probe(features, 0 * labels, seed=0)
    with pytest.raises(UserError, match="A rank must be"):
        fit_probe(features, labels, seed=0, rank=0)
