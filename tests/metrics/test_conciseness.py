import pytest
import torch

from interp_by_design.metrics.tau_curves import conciseness, conciseness_abs, conciseness_scores
from interp_by_design.terms import UserError
from tests.metrics.tables import table_of

# g decides 0 on the first sample, alpha = (4, -3, 1, 0), r = (1, -.75, .25, 0), and 1 on the
# second, alpha = (0, 0, 0, 4).
PHI = [[2.0, 1, 1, 1], [0.0, 0, 0, 2]]
WEIGHTS = [[2.0, -3, 1, 0], [0.0, -1, 0, 2]]


def test_conciseness() -> None:
    scores = conciseness_scores(table_of(PHI, WEIGHTS))
    # g: first (4-3+1, -1+2) = (2, 1), class 0; second (0, 4), class 1
    assert scores["conciseness@1.5"] == 1
    assert scores["conciseness@4"] == 1  # .25 is not above 1/4
    assert scores["conciseness@5"] == (2 + 1) / 2
    assert scores["conciseness_abs@1.5"] == (2 + 1) / 2  # .75 > 2/3
    assert scores["conciseness_abs@4"] == (2 + 1) / 2
    assert scores["conciseness_abs@5"] == (3 + 1) / 2


def test_relevance_is_for_the_class_that_g_decides() -> None:
    # f decides 1, for which only the last attribute would count; g decides 0, where three do
    scores = conciseness_scores(table_of(PHI[:1], WEIGHTS, f=[[0.0, 1]]))
    assert scores["conciseness_abs@5"] == 3


def test_left_out() -> None:
    scores = conciseness_scores(table_of(PHI, WEIGHTS))
    assert scores["left_out@2"] == pytest.approx((1 / 8 + 0) / 2)  # of 4 + 3 + 1 the 1 is not shown
    assert scores["left_out@5"] == 0


def test_left_out_is_of_samples_with_contributions() -> None:
    nothing = [0.0, 0, 0, 0]
    assert conciseness_scores(table_of([PHI[0], nothing], WEIGHTS))["left_out@2"] == 1 / 8
    scores = conciseness_scores(table_of([nothing], WEIGHTS))
    assert "left_out@2" not in scores
    assert scores["conciseness@5"] == scores["conciseness_abs@5"] == 0


def test_sufficiency() -> None:
    # r = (1, .5, .5) for class 0, alpha = (2, 1, 1), 4 against 3: the first attribute alone gives 2
    # against 3, all three decide
    phi, weights = [[1.0, 1, 1]], [[2.0, 1, 1], [3.0, 0, 0]]
    scores = conciseness_scores(table_of(phi, weights))
    assert scores["sufficiency@2"] == 0  # .5 is not above 1/2
    assert scores["sufficiency@2.5"] == 1
    # it is f's decision that has to be reached
    assert conciseness_scores(table_of(phi, weights, f=[[0.0, 1]]))["sufficiency@2"] == 1


def test_sufficiency_uses_the_bias() -> None:
    # alpha = (2, 1, 1) again; with the bias 2 for class 0 the first attribute gives 4 against 3
    phi, weights = [[1.0, 1, 1]], [[2.0, 1, 1], [3.0, 0, 0]]
    assert conciseness_scores(table_of(phi, weights, bias=[2.0, 0]))["sufficiency@2"] == 1


def test_keys() -> None:
    at = ("1.5", "2", "2.5", "3", "4", "5")
    names = ("conciseness", "conciseness_abs", "sufficiency", "left_out")
    assert set(conciseness_scores(table_of(PHI, WEIGHTS))) == {
        f"{name}@{tau}" for name in names for tau in at
    }


@pytest.mark.parametrize("count", [conciseness, conciseness_abs])
def test_tau_must_exceed_one(count) -> None:
    with pytest.raises(UserError, match="must be larger than 1"):
        count(torch.ones(1, 2), 1.0)
