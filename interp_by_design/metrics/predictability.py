"""Predictability: how much of the attributes can be told from f's answer alone; 1 where they are the answer under another name.

Knows nothing of g's head, decisions or decoder.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor

from interp_by_design.metrics.table_batches import totals
from interp_by_design.metrics.usage import active_share, dead
from interp_by_design.terms import InterpretationTable, Logits, UserError

TRAIN_ROWS = 10_000
OUTLIER = 10.0  # standard deviations
UPDATES = 2_000

PerAttribute = Float[Tensor, "attributes"]


def logit_predictability(
    train_table: InterpretationTable, test_table: InterpretationTable, seed: int
) -> float | None:
    """`mean_j max(0, R²_j)` with `R²_j = 1 - sum_x (phi_j - p_j)^2 / sum_x (phi_j - mean phi_j)^2` over the test split, in 0..1.

    p is a small MLP's prediction of φ from f's log-softmax, fitted on at most 10,000 train rows that the seed draws. The mean is
    over the attributes that are live and vary on test; None where there is none. A negative R² counts as 0, so that one attribute
    that the MLP gets wildly wrong cannot hide others that it knows. Few rows for many classes make it too low: it accuses
    less than it should. UserError where the tables differ in C or J. The house's own, against a relabelled answer.
    """
    if train_table.head_weights.shape != test_table.head_weights.shape:
        raise UserError(
            f"The train table is of [classes, attributes] {tuple(train_table.head_weights.shape)} and the test table of"
            f" {tuple(test_table.head_weights.shape)}. Make both with the same model."
        )
    judged = live(test_table)
    if not judged.any():
        return None
    drawn = torch.randperm(len(train_table), generator=torch.Generator().manual_seed(seed))[
        :TRAIN_ROWS
    ]
    rows = drawn.to(train_table.predictor.device)
    model = fitted(
        answer(train_table.predictor[rows]), _numpy(train_table.attributes[rows][:, judged]), seed
    )
    return float(r_squared(*_errors(model, test_table, judged)).clamp(min=0).mean())


def live(table: InterpretationTable) -> Bool[Tensor, "attributes"]:
    """Attributes that are not dead on the split, and not the same on all of it."""
    varies = table.attributes.amax(dim=0) > table.attributes.amin(dim=0)
    return varies.cpu() & ~dead(active_share(table))


def r_squared(residual: PerAttribute, spread: PerAttribute) -> PerAttribute:
    """`R²_j = 1 - residual_j / spread_j`: squared errors of the prediction, over those of the mean, both summed over samples."""
    return 1 - residual / spread


def answer(logits: Logits) -> NDArray[np.float32]:
    """`[log f(x), f(x)]`, [n, 2C]: the log-softmax, and again as probabilities, which spare the MLP from learning exp."""
    log_f = logits.detach().to("cpu", torch.float64).log_softmax(dim=1)
    return torch.cat([log_f, log_f.exp()], dim=1).float().numpy()


def fitted(
    inputs: NDArray[np.float32], targets: NDArray[np.float64], seed: int
) -> TransformedTargetRegressor:
    """An MLP [2C, 64, 64, J], both ends standardised, fitted for about 2,000 updates (100 epochs at most)."""
    epochs = min(100, max(1, UPDATES * 200 // len(inputs)))
    network = MLPRegressor(
        hidden_layer_sizes=(64, 64), learning_rate_init=5e-3, max_iter=epochs, random_state=seed
    )
    # A class that f hardly ever finds likely has a tiny deviation: unclipped, one test image of it would throw the whole R².
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -OUTLIER, "a_max": OUTLIER})
    pipeline = Pipeline([("scale", StandardScaler()), ("clip", clip), ("network", network)])
    model = TransformedTargetRegressor(
        regressor=pipeline, transformer=StandardScaler(), check_inverse=False
    )
    # One BLAS thread: on matrices this small several take five times as long, and the result would depend on the machine's cores.
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # the number of epochs is a budget, not a failure
        return model.fit(
            inputs, targets[:, 0] if targets.shape[1] == 1 else targets
        )  # scikit-learn warns of a lone column


def _errors(
    model: TransformedTargetRegressor, table: InterpretationTable, judged: Tensor
) -> tuple[Tensor, Tensor]:
    """Squared errors of the model and of the mean, [J judged] each, summed over the table."""
    mean = table.attributes.mean(dim=0, dtype=torch.float64).cpu()[judged]

    def columns(part: InterpretationTable) -> dict[str, Tensor]:
        truth = part.attributes[:, judged]
        predicted = torch.from_numpy(model.predict(answer(part.predictor)).reshape(truth.shape))
        return {
            "residual": (truth - predicted).square().sum(dim=0),
            "spread": (truth - mean).square().sum(dim=0),
        }

    with threadpool_limits(1, user_api="blas"):
        found = totals(table, columns)
    return found["residual"], found["spread"]


def _numpy(attributes: Tensor) -> NDArray[np.float64]:
    return attributes.detach().to("cpu", torch.float64).numpy()
