"""The linear models are scikit-learn's."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from benchmarks.linear import CERTAIN, fitted


@pytest.fixture
def problem() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(3)
    inputs = torch.randint(2, (300, 7), generator=draws).double()
    scores = (
        inputs @ torch.randn(7, 4, generator=draws).double()
        + torch.randn(300, 4, generator=draws).double() / 2
    )
    return inputs, scores.softmax(dim=1), torch.rand(300, generator=draws).double()


def reference(
    model: Any, inputs: torch.Tensor, target: torch.Tensor, weights: torch.Tensor
) -> np.ndarray[Any, Any]:
    model.fit(inputs.numpy(), target.numpy(), sample_weight=weights.numpy())
    return np.append(np.ravel(model.coef_), model.intercept_)


def test_ridge_is_scikit_learns(problem: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> None:
    inputs, probabilities, weights = problem
    found = fitted(inputs, probabilities, weights, "ridge")
    for label in range(4):
        wanted = reference(Ridge(alpha=1.0), inputs, probabilities[:, label], weights)
        assert np.append(found.coefficients[label], found.intercepts[label]) == pytest.approx(
            wanted, abs=1e-7
        )


def test_logistic_is_scikit_learns_also_on_a_few_inputs(
    problem: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    inputs, probabilities, weights = problem
    targets = torch.nn.functional.one_hot(probabilities.argmax(dim=1), 4).double()
    chosen = torch.tensor([[0, 3], [6, 2], [5, 1], [2, 4]])
    whole, few = (
        fitted(inputs, targets, weights, "logistic"),
        fitted(inputs, targets, weights, "logistic", chosen),
    )
    for label in range(4):
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000)
        wanted = reference(model, inputs, targets[:, label], weights)
        assert np.append(whole.coefficients[label], whole.intercepts[label]) == pytest.approx(
            wanted, abs=1e-5
        )
        wanted = reference(model, inputs[:, chosen[label]], targets[:, label], weights)
        kept = few.coefficients[label][chosen[label]]
        assert np.append(kept, few.intercepts[label]) == pytest.approx(wanted, abs=1e-5)
        assert int((few.coefficients[label] != 0).sum()) == 2


def test_a_class_that_is_always_or_never_the_target_is_certain() -> None:
    inputs = torch.eye(4).double()
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]).double()
    found = fitted(inputs, targets, torch.ones(4).double(), "logistic")
    assert found.intercepts.tolist() == [CERTAIN, -CERTAIN]
    assert not found.coefficients.any()
    assert found.decided == 0


def test_a_target_that_one_input_separates_is_solved() -> None:
    """Separable: without a penalty there is no optimum, and Newton's full steps would run away."""
    inputs = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]).double().repeat(200, 1)
    targets = torch.stack([inputs[:, 0], 1 - inputs[:, 0]], dim=1)
    found = fitted(inputs, targets, torch.ones(800).double(), "logistic")
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000)
    wanted = reference(model, inputs, targets[:, 0], torch.ones(800))
    assert np.append(found.coefficients[0], found.intercepts[0]) == pytest.approx(wanted, abs=1e-3)
    assert found.coefficients[0].tolist() == pytest.approx(
        (-found.coefficients[1]).tolist(), abs=1e-6
    )
