import pytest
import torch

from interp_by_design.metrics.usage import activity_threshold, usage_scores
from tests.metrics.tables import table_of

IDENTITY = [[1.0, 0], [0.0, 1]]


def test_threshold_is_a_hundredth_of_the_mean_positive_attribute() -> None:
    phi = torch.tensor([[0.0, 1], [2.0, 0], [0.0, 6]])
    assert activity_threshold(phi) == pytest.approx(0.03)
    assert activity_threshold(phi[:0]) == activity_threshold(0 * phi) == 0


def test_unexplained_share() -> None:
    # eps = .01 * (4 + .01) / 2 = .02: the .01 of the second sample is not active
    assert (
        usage_scores(table_of([[4.0, 0], [0.0, 0.01], [0.0, 0]], IDENTITY))["unexplained_share"]
        == 2 / 3
    )
    assert usage_scores(table_of([[0.0, 0]], IDENTITY))["unexplained_share"] == 1


def test_dead_and_always_on_attributes() -> None:
    # of 1,000 samples the first is active on 999, the second on 1, the third on none: 1 in 1,000 is
    # just not dead
    phi = [[1.0, 0, 0, 1] for _ in range(1000)]
    phi[0] = [0.0, 1, 0, 1]
    scores = usage_scores(table_of(phi, [[1.0, 1, 1, 1], [0.0, 0, 0, 0]]))
    assert scores["dead_attributes"] == 1
    assert scores["always_on_attributes"] == 2
    # with one sample more, 1 in 1,001 is dead
    assert (
        usage_scores(table_of([*phi, [1.0, 0, 0, 1]], [[1.0, 1, 1, 1], [0.0, 0, 0, 0]]))[
            "dead_attributes"
        ]
        == 2
    )


def test_99_percent_is_not_yet_always() -> None:
    phi = [[1.0]] * 99 + [[0.0]]
    assert usage_scores(table_of(phi, [[1.0], [0.0]]))["always_on_attributes"] == 0
    assert usage_scores(table_of([*phi, [1.0]], [[1.0], [0.0]]))["always_on_attributes"] == 1


def test_effective_attributes() -> None:
    # contributions: sum |alpha| is 3 for each of two attributes, and none for the third: exp(log 2)
    weights = [[1.0, 0, 0], [0.0, -3, 0]]
    phi, g = [[3.0, 0, 7], [0.0, 1, 7]], [[1.0, 0], [0.0, 1]]
    assert usage_scores(table_of(phi, weights, g=g))["effective_attributes"] == pytest.approx(2)
    assert usage_scores(table_of(phi[:1], weights, g=g[:1]))["effective_attributes"] == 1


def test_effective_attributes_are_absent_where_nothing_contributes() -> None:
    assert "effective_attributes" not in usage_scores(table_of([[0.0, 0]], IDENTITY))


def test_exclusive_attributes() -> None:
    # mass by f's class: attribute 0 has 9 in class 0 and 1 in class 1, 90 % and no more; attribute
    # 1 all in class 1; attribute 2 is dead
    phi = [[9.0, 0, 0], [1.0, 5, 0]]
    table = table_of(phi, [[1.0, 0, 0], [0.0, 1, 0]], f=[[1.0, 0], [0.0, 1]], labels=[0, 0])
    assert usage_scores(table)["exclusive_attributes"] == 1
    phi[0][0] = 9.5
    table = table_of(phi, [[1.0, 0, 0], [0.0, 1, 0]], f=[[1.0, 0], [0.0, 1]], labels=[0, 0])
    assert usage_scores(table)["exclusive_attributes"] == 2
