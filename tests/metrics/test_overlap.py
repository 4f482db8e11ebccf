import pytest

from interp_by_design.metrics import overlap
from tests.metrics.tables import table_of

WEIGHTS = [[1.0] * 3, [0.0] * 3]


def test_the_mean_over_pairs_of_either_sign() -> None:
    # the second is twice the first, and the third falls as they rise: three pairs, each 1
    assert overlap(table_of([[1.0, 2, 3], [2.0, 4, 2], [4.0, 8, 0]], WEIGHTS)) == pytest.approx(1)
    # the third is uncorrelated with the others: one pair of three
    assert overlap(
        table_of([[1.0, 2, 1], [2.0, 4, 1], [1.0, 2, 2], [2.0, 4, 2]], WEIGHTS)
    ) == pytest.approx(1 / 3)


def test_what_is_dead_or_does_not_vary_is_left_out() -> None:
    phi = [[1.0, 1, 0, 5], [2.0, 1, 0, 5], [1.0, 2, 0, 5], [2.0, 2, 0, 5]]
    assert overlap(table_of(phi, [[1.0] * 4, [0.0] * 4])) == pytest.approx(0)


def test_one_attribute_has_nothing_to_overlap_with() -> None:
    assert overlap(table_of([[1.0, 0, 0], [2.0, 0, 0]], WEIGHTS)) is None
