import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from interp_by_design.relevance import (
    contributions,
    explain_locally,
    local_relevance,
    relevant,
    shown,
)
from interp_by_design.terms import Explanation, Interpretation, UserError
from tests.reference import relevance as reference

WEIGHTS = torch.tensor([[1.0, -2.0, 0.0, 0.5], [3.0, 1.0, 1.0, 1.0]])


def test_by_hand() -> None:
    phi = torch.tensor([[1.0, 1.0, 1.0, 2.0], [0.0, 0.0, 5.0, 0.0], [1.0, 2.0, 0.0, 3.0]])
    classes = torch.tensor([0, 0, 1])
    # alpha = (1, -2, 0, 1), (0, 0, 0, 0), (3, 2, 0, 3)
    assert contributions(phi, WEIGHTS, classes).tolist() == [
        [1, -2, 0, 1],
        [0, 0, 0, 0],
        [3, 2, 0, 3],
    ]
    expected = [[0.5, -1, 0, 0.5], [0, 0, 0, 0], [1, 2 / 3, 0, 1]]
    assert local_relevance(phi, WEIGHTS, classes).tolist() == [
        pytest.approx(row) for row in expected
    ]


grid = st.sampled_from([0.0, 0.0, 0.001, 0.25, 0.5, 1.0, 3.0, 1e4])


@given(st.data(), st.integers(1, 6), st.integers(1, 4), st.integers(1, 5))
def test_against_the_reference(
    data: st.DataObject, n: int, n_classes: int, n_attributes: int
) -> None:
    def rows(count: int, values: st.SearchStrategy[float]) -> list[list[float]]:
        return data.draw(
            st.lists(
                st.lists(values, min_size=n_attributes, max_size=n_attributes),
                min_size=count,
                max_size=count,
            )
        )

    phi, weights = rows(n, grid), rows(n_classes, st.one_of(grid, grid.map(lambda w: -w)))
    classes = data.draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n))
    found = local_relevance(
        torch.tensor(phi).double(), torch.tensor(weights).double(), torch.tensor(classes)
    )
    assert found.tolist() == [
        pytest.approx(row, rel=1e-6) for row in reference.local_relevance(phi, weights, classes)
    ]
    assert found.abs().max() <= 1


def test_shown_includes_evidence_against_and_relevant_does_not() -> None:
    relevance = torch.tensor([[1.0, -0.75, 0.5, -0.5, 0.25]])
    assert shown(relevance, 2).tolist() == [[True, True, False, False, False]]  # strictly above 1/2
    assert relevant(relevance, 2).tolist() == [[True, False, False, False, False]]
    assert shown(relevance, 2.5).tolist() == [[True, True, True, True, False]]


@pytest.mark.parametrize("tau", [1, 1.0, 0, -2, float("nan")])
def test_tau_must_exceed_one(tau: float) -> None:
    for mask in (shown, relevant):
        with pytest.raises(UserError, match="must be larger than 1"):
            mask(torch.ones(1, 2), tau)


@pytest.mark.parametrize("class_number", [-1, 2])
def test_a_class_the_head_does_not_have(class_number: int) -> None:
    with pytest.raises(UserError, match="must be within 0 to 1"):
        local_relevance(torch.ones(1, 4), WEIGHTS, torch.tensor([class_number]))


def explained(f: torch.Tensor, g: torch.Tensor, phi: torch.Tensor) -> Explanation:
    seen = Interpretation(f[None], g[None], phi[None], None)
    return explain_locally(seen, WEIGHTS, torch.zeros(2))


def test_the_explanation_of_one_image() -> None:
    phi = torch.tensor([1.0, 1.0, 1.0, 2.0])
    why = explained(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 0.0]), phi)
    assert (why.predictor_class, why.interpreter_class, why.agrees) == (1, 0, False)
    assert why.contributions.tolist() == [1, -2, 0, 1]
    assert why.relevance.tolist() == [0.5, -1, 0, 0.5]  # for class 0, which g decides
    assert why.predictor_probabilities.tolist() == pytest.approx(
        [0.26894142, 0.73105858]
    )  # 1 / (1 + e) and the rest
    assert why.interpreter_probabilities.sum().item() == pytest.approx(1)
    assert why.relevant(tau=2) == []  # 0.5 is not above 1/2
    assert why.relevant(tau=3) == [0, 3]
    assert why.shown(tau=3) == [1, 0, 3]  # the largest |r| first, also where it speaks against
    with pytest.raises(UserError):
        why.relevant(tau=1)


def test_relevant_is_sorted_by_size() -> None:
    why = explained(
        torch.tensor([0.0, 1.0]), torch.tensor([0.0, 2.0]), torch.tensor([1.0, 2.0, 9.0, 0.0])
    )
    assert why.agrees
    assert why.relevant(5) == [2, 0, 1]  # alpha = 3, 2, 9, 0
