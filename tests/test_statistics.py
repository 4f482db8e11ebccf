"""Statistics against literal references, NumPy and planted truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from interp_by_design.statistics import (
    MAX_EXACT_COLUMNS,
    Standardisation,
    correlation,
    correlation_from_moments,
    correlation_matrix,
    correlation_matrix_from_moments,
    evenly_spaced,
    principal_components,
    r_squared,
    r_squared_from_sums,
    regression_r_squared,
    standardise,
)
from interp_by_design.terms import UserError


def noise(n: int, columns: int, seed: int) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.randn(n, columns, generator=draws, dtype=torch.float64)


def pearson(xs: list[float], ys: list[float]) -> float:
    n = len(xs)
    mean_x, mean_y = math.fsum(xs) / n, math.fsum(ys) / n
    together = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    spread_x = math.sqrt(math.fsum((x - mean_x) ** 2 for x in xs))
    spread_y = math.sqrt(math.fsum((y - mean_y) ** 2 for y in ys))
    return together / (spread_x * spread_y)


def test_correlation_equals_the_textbook_formula() -> None:
    x, y = torch.rand(40, 5), torch.rand(40, 5)
    expected = [pearson(x[:, j].tolist(), y[:, j].tolist()) for j in range(5)]
    assert correlation(x, y).tolist() == pytest.approx(expected, abs=1e-6)


def test_correlation_of_planted_changes() -> None:
    x = torch.rand(50)
    before = torch.stack([x, x, x, torch.zeros(50), x, torch.full((50,), 0.1)], dim=1)
    now = torch.stack(
        [x, 3 * x + 2, 1 - x, x, torch.full((50,), 7.7), torch.full((50,), 0.1)], dim=1
    )
    nan = torch.nan
    expected = torch.tensor([1, 1, -1, nan, nan, nan])
    torch.testing.assert_close(correlation(before, now), expected, equal_nan=True)
    torch.testing.assert_close(correlation(before, now, fill=0.0), expected.nan_to_num(0.0))
    exchanged = torch.rand(2000, 2)
    assert (correlation(exchanged, exchanged.flip(1)).abs() < 0.1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_results_keep_the_precision_of_the_input(dtype: torch.dtype) -> None:
    x, y = noise(20, 3, 0).to(dtype), noise(20, 3, 1).to(dtype)
    assert correlation(x, y).dtype == dtype
    assert correlation_matrix(x, y).dtype == dtype
    assert standardise(x).dtype == dtype
    assert r_squared(x, y).dtype == dtype


def test_correlation_matrix_equals_numpy_and_its_own_form_from_moments() -> None:
    x, y = noise(30, 4, 0), noise(30, 3, 1)
    expected = np.corrcoef(x.T.numpy(), y.T.numpy())[:4, 4:]
    np.testing.assert_allclose(correlation_matrix(x, y).numpy(), expected, atol=1e-12)
    a, b = x - x.mean(dim=0), y - y.mean(dim=0)
    squares = a.square().sum(dim=0), b.square().sum(dim=0)
    found = correlation_matrix_from_moments(a.T @ b, *squares)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    paired = correlation_from_moments((a[:, :3] * b).sum(dim=0), squares[0][:3], squares[1])
    np.testing.assert_allclose(paired.numpy(), expected.diagonal(), atol=1e-12)


def test_a_column_that_does_not_vary_has_no_correlation_in_a_matrix() -> None:
    x = torch.stack([torch.rand(9), torch.full((9,), 0.1)], dim=1)
    assert correlation_matrix(x, x)[1].tolist() == correlation_matrix(x, x)[:, 1].tolist() == [0, 0]
    still = torch.zeros(1)
    assert correlation_from_moments(still, still, still).isnan().all()
    assert correlation_matrix_from_moments(still[:, None], still, still).isnan().all()


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UserError, match="cannot be correlated one by one"):
        correlation(torch.rand(4, 2), torch.rand(4, 3))
    with pytest.raises(UserError, match="4 rows cannot be correlated with 5"):
        correlation_matrix(torch.rand(4, 2), torch.rand(5, 2))


def test_standardised_columns_have_mean_0_and_mean_square_1() -> None:
    z = standardise(3 * noise(50, 4, 0) + 7)
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(4, dtype=torch.float64))
    torch.testing.assert_close(z.square().mean(dim=0), torch.ones(4, dtype=torch.float64))


def test_a_constant_column_is_standardised_to_0_on_other_rows_too() -> None:
    fitted = Standardisation.fit(torch.full((7, 1), 0.1))
    assert fitted.apply(torch.tensor([[0.1], [5.0]])).tolist() == [[0.0], [0.0]]


def test_r_squared_of_known_predictions() -> None:
    target = noise(40, 2, 0)
    assert r_squared(target, target).tolist() == [1, 1]
    mean = target.mean(dim=0).expand_as(target)
    torch.testing.assert_close(r_squared(target, mean), torch.zeros(2, dtype=torch.float64))
    wrong = torch.tensor([2.0])
    assert r_squared_from_sums(wrong, torch.tensor([1.0])).item() == -1


def test_regression_explains_a_sum_of_regressors_and_nothing_independent() -> None:
    given = noise(200, 3, 0)
    targets = torch.stack([given @ torch.tensor([1.0, -2, 3]).double(), noise(200, 1, 1)[:, 0]], 1)
    whole, nothing = regression_r_squared(targets, given).tolist()
    assert whole == pytest.approx(1)
    assert nothing < 0.1
    still = torch.ones(200, 1, dtype=torch.float64)
    assert regression_r_squared(still, given).item() == 0


@pytest.mark.parametrize("shape", [(60, 5), (4, 9), (30, MAX_EXACT_COLUMNS + 1)])
def test_principal_components_are_those_of_a_singular_value_decomposition(
    shape: tuple[int, int],
) -> None:
    scales = torch.ones(shape[1], dtype=torch.float64)
    scales[:3] = torch.tensor([900.0, 500.0, 300.0])
    rows = noise(*shape, 0) * scales
    components, deviations = principal_components(rows, 2, seed=0)
    _, sizes, directions = torch.linalg.svd(rows - rows.mean(dim=0), full_matrices=False)
    expected = sizes[:2] / math.sqrt(shape[0] - 1)
    torch.testing.assert_close(deviations, expected, rtol=1e-4, atol=0)
    torch.testing.assert_close(
        (components * directions[:2]).sum(dim=1).abs(),
        torch.ones(2, dtype=torch.float64),
        rtol=1e-4,
        atol=0,
    )


def test_components_need_as_many_rows() -> None:
    with pytest.raises(UserError, match="3 principal components need at least as many rows"):
        principal_components(noise(2, 5, 0), 3, seed=0)


@pytest.mark.parametrize(("n", "count"), [(0, 5), (1, 1), (3, 8), (10, 4), (1000, 999)])
def test_evenly_spaced_rows_are_distinct_and_spread_from_the_first(n: int, count: int) -> None:
    rows = evenly_spaced(n, count).tolist()
    assert rows == [i * n // min(n, count) for i in range(min(n, count))]
    assert len(set(rows)) == len(rows)
