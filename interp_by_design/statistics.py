"""Correlation, standardisation, explained variance and principal components.

Each function computes in the precision of the tensors that it is given: pass float64 for results
that sums over many rows should not blur.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.terms import UserError

MIN_RELATIVE_DEVIATION = 1e-6  # of a column's mean; below it, a rounding error
MIN_RELATIVE_SINGULAR_VALUE = 1e-8  # of the largest; below it, dependent regressors
MAX_EXACT_COLUMNS = 2048  # above it, principal components are randomised

Columns = Float[Tensor, "n columns"]


class Standardisation(NamedTuple):
    """`z = (x - mean) * scale`, column by column.

    Args:
        mean: The mean of each column, [d].
        scale: One over the population standard deviation of each column, [d]; 0 for a column that
            does not vary, which is standardised to 0.
    """

    mean: Float[Tensor, "columns"]
    scale: Float[Tensor, "columns"]

    @classmethod
    def fit(cls, rows: Columns) -> Standardisation:
        """Return the standardisation of these rows.

        Args:
            rows: The values, [n, d].

        Returns:
            Mean and scale of each column, in the precision of `rows`.

        >>> mean, scale = Standardisation.fit(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
        >>> mean.tolist(), scale.tolist()
        ([2.0, 5.0], [1.0, 0.0])
        """
        deviation, mean = torch.std_mean(rows, dim=0, correction=0)
        constant = deviation <= MIN_RELATIVE_DEVIATION * mean.abs()
        return cls(mean, torch.where(constant, 0.0, 1 / deviation))

    def apply(self, rows: Columns) -> Columns:
        """Standardise rows.

        Args:
            rows: The values, [n, d].

        Returns:
            The standardised values, [n, d].
        """
        return (rows - self.mean) * self.scale


def standardise(rows: Columns) -> Columns:
    """Shift and scale each column to mean 0 and mean square 1.

    Args:
        rows: The values, [n, d].

    Returns:
        The standardised values, [n, d]; a column that does not vary is 0.

    >>> standardise(torch.tensor([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    return Standardisation.fit(rows).apply(rows)


def correlation(x: Columns, y: Columns, fill: float = torch.nan) -> Float[Tensor, "columns"]:
    """Compute Pearson's correlation of `x` and `y`, column by column.

    Args:
        x: The first values, [n, J].
        y: The second values, [n, J].
        fill: The result for a column that does not vary in `x` or in `y`.

    Returns:
        The correlations, [J], in -1..1.

    Raises:
        UserError: `x` and `y` differ in shape.

    >>> x = torch.tensor([[1.0, 1.0, 1.0], [2.0, 2.0, 1.0]])
    >>> correlation(x, x * torch.tensor([2.0, -1.0, 1.0]), fill=0.0).tolist()
    [1.0, -1.0, 0.0]
    """
    if x.shape != y.shape:
        raise UserError(
            f"Columns of {tuple(x.shape)} and {tuple(y.shape)} cannot be correlated one by one. "
            "Give two arrays of one shape."
        )
    varies = (x != x[:1]).any(dim=0) & (y != y[:1]).any(dim=0)
    a, b = x - x.mean(dim=0), y - y.mean(dim=0)
    found = correlation_from_moments(
        (a * b).sum(dim=0), a.square().sum(dim=0), b.square().sum(dim=0)
    )
    return torch.where(varies & ~found.isnan(), found, fill).clamp(-1, 1)


def correlation_from_moments(
    products: Float[Tensor, "*columns"],
    squares_x: Float[Tensor, "*columns"],
    squares_y: Float[Tensor, "*columns"],
) -> Float[Tensor, "*columns"]:
    """Compute `sum xy / sqrt(sum x² · sum y²)` from sums, or means, over centred columns.

    Args:
        products: The sum of `x · y` of each pair of columns, [J] or of any one shape.
        squares_x: The sum of `x²` of each column, [J].
        squares_y: The sum of `y²` of each column, [J].

    Returns:
        Pearson's correlations, [J]; NaN where a column does not vary.

    >>> correlation_from_moments(torch.tensor([3.0]), torch.tensor([9.0]), torch.tensor([4.0]))
    tensor([0.5000])
    """
    return products / (squares_x * squares_y).sqrt()


def correlation_matrix(
    x: Float[Tensor, "n x_columns"], y: Float[Tensor, "n y_columns"]
) -> Float[Tensor, "x_columns y_columns"]:
    """Compute Pearson's correlation of every column of `x` with every column of `y`.

    Args:
        x: The first values, [n, J].
        y: The second values, [n, K].

    Returns:
        The correlations, [J, K]; 0 where a column does not vary.

    Raises:
        UserError: `x` and `y` differ in their number of rows.

    >>> x = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> correlation_matrix(x, x).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    if len(x) != len(y):
        raise UserError(
            f"{len(x)} rows cannot be correlated with {len(y)}. Give the same rows of both."
        )
    return standardise(x).T @ standardise(y) / len(x)


def correlation_matrix_from_moments(
    products: Float[Tensor, "x_columns y_columns"],
    squares_x: Float[Tensor, "x_columns"],
    squares_y: Float[Tensor, "y_columns"],
) -> Float[Tensor, "x_columns y_columns"]:
    """Compute `sum x_j y_k / sqrt(sum x_j²) / sqrt(sum y_k²)` from sums over centred columns.

    Args:
        products: The sum of `x_j · y_k` for each pair of columns, [J, K].
        squares_x: The sum of `x_j²` of each column, [J].
        squares_y: The sum of `y_k²` of each column, [K].

    Returns:
        Pearson's correlations, [J, K]; NaN where a column does not vary.

    >>> x = torch.tensor([[-1.0, 0.0, 1.0], [1.0, -2.0, 1.0]]).T
    >>> products = x.T @ x
    >>> found = correlation_matrix_from_moments(products, products.diagonal(), products.diagonal())
    >>> found.round(decimals=3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return products / squares_y.sqrt() / squares_x.sqrt()[:, None]


def r_squared(target: Columns, prediction: Columns) -> Float[Tensor, "columns"]:
    """Compute the coefficient of determination of each column.

    Args:
        target: The true values, [n, d].
        prediction: The predicted values, [n, d].

    Returns:
        `1 - sum (target - prediction)² / sum (target - mean target)²`, [d], at most 1. It is NaN or
        minus infinity for a column that does not vary.

    >>> target = torch.tensor([[0.0], [1.0], [2.0]])
    >>> r_squared(target, target).tolist(), r_squared(target, torch.ones(3, 1)).tolist()
    ([1.0], [0.0])
    """
    residual = (target - prediction).square().sum(dim=0)
    return r_squared_from_sums(residual, (target - target.mean(dim=0)).square().sum(dim=0))


def r_squared_from_sums(
    residual: Float[Tensor, "columns"], spread: Float[Tensor, "columns"]
) -> Float[Tensor, "columns"]:
    """Compute `R² = 1 - residual / spread` from sums of squares.

    Args:
        residual: The squared errors of the prediction, summed over the rows, [d].
        spread: The squared deviations from the mean, summed over the rows, [d].

    Returns:
        The coefficient of determination of each column, [d], at most 1.

    >>> r_squared_from_sums(torch.tensor([1.0]), torch.tensor([4.0])).tolist()
    [0.75]
    """
    return 1 - residual / spread


def regression_r_squared(
    targets: Float[Tensor, "n targets"], regressors: Float[Tensor, "n regressors"]
) -> Float[Tensor, "targets"]:
    """Compute R² of each target by linear regression on all regressors and a constant.

    Args:
        targets: The values to explain, [n, a].
        regressors: The values to explain them by, [n, b].

    Returns:
        The explained share of each target's variance, [a], in 0..1; 0 for a target that does not
        vary.

    >>> x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> regression_r_squared(x.sum(dim=1, keepdim=True), x[:, :1]).round(decimals=3).tolist()
    [0.5]
    """
    left, sizes, _ = torch.linalg.svd(standardise(regressors), full_matrices=False)
    basis = left[:, sizes > MIN_RELATIVE_SINGULAR_VALUE * max(1.0, float(sizes.max()))]
    share: Tensor = (basis.T @ standardise(targets)).square().sum(dim=0) / len(targets)
    return share.clamp(0, 1)


def principal_components(
    rows: Columns, n_components: int, seed: int
) -> tuple[Float[Tensor, "components columns"], Float[Tensor, "components"]]:
    """Compute the directions in which rows vary most, and their standard deviations.

    Up to 2,048 columns by eigenvectors of the covariance, or a singular value decomposition where
    there are fewer rows than columns, in double precision; above by a randomised decomposition.

    Args:
        rows: The values, [n, d], on the CPU.
        n_components: How many components to return.
        seed: The seed of the randomised decomposition.

    Returns:
        The components, unit vectors [k, d], the largest deviation first, and their deviations, [k].

    Raises:
        UserError: There are fewer rows than components.

    Source: Halko et al. (2011), arXiv 0909.4061, for the randomised decomposition.

    >>> rows = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> components, deviations = principal_components(rows, n_components=2, seed=0)
    >>> components.abs().round(decimals=3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if len(rows) < n_components:
        raise UserError(
            f"{n_components} principal components need at least as many rows, "
            f"and there are {len(rows)}."
        )
    from sklearn.decomposition import PCA  # importing it takes a second

    exact = rows.shape[1] <= MAX_EXACT_COLUMNS
    solver = "full" if len(rows) < rows.shape[1] else "covariance_eigh"
    model = PCA(n_components, svd_solver=solver if exact else "randomized", random_state=seed)
    model.fit((rows.double() if exact else rows).numpy())
    deviations = torch.from_numpy(model.explained_variance_).clamp(min=0).sqrt()
    return torch.from_numpy(model.components_), deviations


def evenly_spaced(n: int, count: int) -> Int[Tensor, "rows"]:
    """Return indices of at most `count` of `n` rows, evenly spread.

    A data set may be sorted by class, so that its first rows do not represent it.

    Args:
        n: How many rows there are.
        count: How many rows to choose.

    Returns:
        Increasing row numbers, [min(n, count)].

    >>> evenly_spaced(10, 4).tolist(), evenly_spaced(3, 4).tolist()
    ([0, 2, 5, 7], [0, 1, 2])
    """
    count = min(n, count)
    return torch.arange(count) * n // max(1, count)
