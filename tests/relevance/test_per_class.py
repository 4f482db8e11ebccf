import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from interp_by_design.relevance import global_relevance
from interp_by_design.terms import UserError
from tests.reference import relevance as reference

RELEVANCE = torch.tensor([[1.0, 0.5, -1.0], [0.5, 1.0, 0.0], [0.25, 1.0, -0.5]])


def test_by_hand() -> None:
    found = global_relevance(RELEVANCE, torch.tensor([0, 0, 2]), n_classes=3)
    assert found.relevance.tolist() == [[0.75, 0.75, -0.5], [0, 0, 0], [0.25, 1.0, -0.5]]
    assert found.counts.tolist() == [2, 0, 1]
    assert found.undecided == [1]
    assert found.pairs(tau=2) == [(0, 0), (0, 1), (2, 1)]
    assert found.pairs(tau=5) == [
        (0, 0),
        (0, 1),
        (2, 1),
        (2, 0),
    ]  # the most relevant of a class first
    with pytest.raises(UserError):
        found.pairs(tau=1)


@given(st.data(), st.integers(1, 8), st.integers(1, 4), st.integers(1, 4))
def test_against_the_reference(
    data: st.DataObject, n: int, n_classes: int, n_attributes: int
) -> None:
    value = st.integers(-8, 8).map(lambda eighths: eighths / 8)
    rows = data.draw(
        st.lists(
            st.lists(value, min_size=n_attributes, max_size=n_attributes), min_size=n, max_size=n
        )
    )
    classes = data.draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n))
    found = global_relevance(torch.tensor(rows).double(), torch.tensor(classes), n_classes)
    means, counts = reference.global_relevance(rows, classes, n_classes)
    assert found.relevance.tolist() == [pytest.approx(row) for row in means]
    assert found.counts.tolist() == counts
    assert set(found.pairs(tau=2.1)) == reference.pairs(
        means, 2.1
    )  # no mean of so few eighths falls on 1 / 2.1


def test_a_class_out_of_range() -> None:
    with pytest.raises(UserError, match="must be within 0 to 1"):
        global_relevance(RELEVANCE, torch.tensor([0, 1, 2]), n_classes=2)
