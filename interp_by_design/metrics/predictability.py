"""Predictability of attributes from f's answer: 1 where they are the answer under another name."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor

from interp_by_design.metrics.table_batches import totals
from interp_by_design.metrics.usage import live_attributes
from interp_by_design.statistics import r_squared_from_sums
from interp_by_design.terms import InterpretationTable, Logits, UserError

MAX_TRAIN_ROWS = 10_000
MAX_DEVIATIONS = 10.0  # standard deviations at which inputs are clipped
MAX_EPOCHS = 100
N_UPDATES = 2_000  # of the MLP's weights, about
BATCH_ROWS = 200  # scikit-learn's default


def logit_predictability(
    train_table: InterpretationTable, test_table: InterpretationTable, seed: int
) -> float | None:
    """Compute `mean_j max(0, R²_j)`, how well f's answer predicts the attributes.

    `R²_j = 1 - sum_x (phi_j - p_j)^2 / sum_x (phi_j - mean phi_j)^2` over the test split, p a small
    MLP's prediction of φ from f's log-softmax. A negative R² counts as 0, so that one attribute
    that the MLP misses badly cannot hide others that it predicts. Few rows for many classes make
    the score too low.

    Args:
        train_table: The table of the train split, of which the MLP is fitted to at most 10,000
            rows.
        test_table: The table of the split to score, of the same model.
        seed: The seed of the draw of rows, and of the MLP.

    Returns:
        The mean over the attributes that are live on the test split, in 0..1; None where there is
        none.

    Raises:
        UserError: The tables differ in their classes or attributes.

    Source: original to this project, against a relabelled answer.
    """
    if train_table.head_weights.shape != test_table.head_weights.shape:
        raise UserError(
            "The train table is of [classes, attributes] "
            f"{tuple(train_table.head_weights.shape)} and the test table of "
            f"{tuple(test_table.head_weights.shape)}. Make both with the same model."
        )
    live = live_attributes(test_table)
    if not live.any():
        return None
    draws = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(len(train_table), generator=draws)[:MAX_TRAIN_ROWS]
    rows = drawn.to(train_table.predictor.device)
    targets = train_table.attributes[rows][:, live].detach().to("cpu", torch.float64).numpy()
    model = _fit_mlp(_mlp_inputs(train_table.predictor[rows]), targets, seed)
    residual, spread = _squared_errors(model, test_table, live)
    return float(r_squared_from_sums(residual, spread).clamp(min=0).mean())


def _mlp_inputs(logits: Logits) -> NDArray[np.float32]:
    """Return `[log f(x), f(x)]`, [n, 2C]; the probabilities spare the MLP from learning exp."""
    log_f = logits.detach().to("cpu", torch.float64).log_softmax(dim=1)
    return torch.cat([log_f, log_f.exp()], dim=1).float().numpy()


def _fit_mlp(
    inputs: NDArray[np.float32], targets: NDArray[np.float64], seed: int
) -> TransformedTargetRegressor:
    """Fit an MLP [2C, 64, 64, J], both ends standardised, for about 2,000 updates."""
    epochs = min(MAX_EPOCHS, max(1, N_UPDATES * BATCH_ROWS // len(inputs)))
    network = MLPRegressor(
        hidden_layer_sizes=(64, 64), learning_rate_init=5e-3, max_iter=epochs, random_state=seed
    )
    # A class that f hardly ever finds likely has a tiny deviation: unclipped, one test image of it
    # would decide the whole R².
    bounds = {"a_min": -MAX_DEVIATIONS, "a_max": MAX_DEVIATIONS}
    clip = FunctionTransformer(np.clip, kw_args=bounds)
    pipeline = Pipeline([("scale", StandardScaler()), ("clip", clip), ("network", network)])
    model = TransformedTargetRegressor(
        regressor=pipeline, transformer=StandardScaler(), check_inverse=False
    )
    # One BLAS thread: on matrices this small several take five times as long, and the result would
    # depend on the machine's cores.
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        # The number of epochs is a budget: not to converge is no failure.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # scikit-learn warns of targets of a single column.
        return model.fit(inputs, targets[:, 0] if targets.shape[1] == 1 else targets)


def _squared_errors(
    model: TransformedTargetRegressor, table: InterpretationTable, live: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the squared errors of the model and of the mean, summed over rows."""
    mean = table.attributes.mean(dim=0, dtype=torch.float64).cpu()[live]

    def columns(part: InterpretationTable) -> dict[str, Tensor]:
        truth = part.attributes[:, live]
        predicted = model.predict(_mlp_inputs(part.predictor)).reshape(truth.shape)
        return {
            "residual": (truth - torch.from_numpy(predicted)).square().sum(dim=0),
            "spread": (truth - mean).square().sum(dim=0),
        }

    with threadpool_limits(1, user_api="blas"):
        found = totals(table, columns)
    return found["residual"], found["spread"]
