import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from interp_by_design.metrics import live_attributes, logit_predictability
from interp_by_design.statistics import r_squared_from_sums
from interp_by_design.terms import InterpretationTable, UserError
from tests.metrics.tables import relabelled
from tests.reference import scorecard as reference


def with_attributes(table: InterpretationTable, attributes: torch.Tensor) -> InterpretationTable:
    weights = torch.ones(table.predictor.shape[1], attributes.shape[1])
    return dataclasses.replace(table, attributes=attributes, head_weights=weights)


def noise(n: int, n_attributes: int, seed: int) -> torch.Tensor:
    return torch.rand(n, n_attributes, generator=torch.Generator().manual_seed(seed))


def test_a_relabelled_answer_scores_high() -> None:
    assert logit_predictability(relabelled(1300, seed=1), relabelled(1000, seed=2), seed=0) > 0.9


def test_attributes_that_f_does_not_predict_score_low() -> None:
    train, test = relabelled(600, seed=1), relabelled(400, seed=2)
    found = logit_predictability(
        with_attributes(train, noise(600, 4, 3)), with_attributes(test, noise(400, 4, 4)), seed=0
    )
    assert found == 0  # negative R² counts as 0


def test_it_is_the_mean_over_attributes() -> None:
    train, test = relabelled(1300, seed=1), relabelled(1000, seed=2)
    predicted_and_not = [
        torch.cat([t.attributes[:, :2], 0.3 * noise(len(t), 2, 5 + len(t))], dim=1)
        for t in (train, test)
    ]
    found = logit_predictability(
        with_attributes(train, predicted_and_not[0]),
        with_attributes(test, predicted_and_not[1]),
        seed=0,
    )
    assert 0.4 < found < 0.5  # two of four


def test_only_live_attributes_that_vary_on_test_are_judged() -> None:
    train, test = relabelled(1300, seed=1), relabelled(1000, seed=2)
    widened = [
        torch.cat([t.attributes, torch.zeros(len(t), 1), torch.full((len(t), 1), 0.3)], dim=1)
        for t in (train, test)
    ]
    assert live_attributes(with_attributes(test, widened[1])).tolist() == [True] * 25 + [False] * 2
    found = logit_predictability(
        with_attributes(train, widened[0]), with_attributes(test, widened[1]), seed=0
    )
    assert found == logit_predictability(train, test, seed=0)


def test_none_where_no_attribute_is_live() -> None:
    train, test = relabelled(50, seed=1), relabelled(40, seed=2)
    assert (
        logit_predictability(
            with_attributes(train, noise(50, 2, 0)),
            with_attributes(test, torch.zeros(40, 2)),
            seed=0,
        )
        is None
    )


def test_one_attribute_one_row_and_huge_logits() -> None:
    train, test = relabelled(1, seed=1), relabelled(40, seed=2)
    test = dataclasses.replace(test, predictor=1e4 * test.predictor)
    found = logit_predictability(
        with_attributes(train, noise(1, 1, 0)), with_attributes(test, noise(40, 1, 1)), seed=0
    )
    assert found == 0


def test_the_seed_decides_and_no_global_random_state_moves() -> None:
    train, test = relabelled(300, seed=1), relabelled(200, seed=2)
    before = torch.random.get_rng_state()
    assert logit_predictability(train, test, seed=3) == logit_predictability(train, test, seed=3)
    assert torch.equal(before, torch.random.get_rng_state())


def test_tables_of_two_models_are_refused() -> None:
    with pytest.raises(UserError, match="same model"):
        logit_predictability(
            relabelled(20, seed=1), relabelled(20, seed=2, n_attributes=24), seed=0
        )


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=9))
def test_r_squared_against_the_reference(pairs: list[tuple[int, int]]) -> None:
    pairs.append((pairs[0][0] + 1, 0))  # so that the truth varies
    truth, predicted = torch.tensor(pairs).double().unbind(dim=1)
    residual, spread = (
        (truth - predicted).square().sum()[None],
        (truth - truth.mean()).square().sum()[None],
    )
    assert r_squared_from_sums(residual, spread).item() == pytest.approx(
        reference.r_squared(truth.tolist(), predicted.tolist())
    )
