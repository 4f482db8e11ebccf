"""Weighted ridge and one-against-rest logistic regression of many targets at once.

Equal to scikit-learn's `Ridge` and `LogisticRegression`, whose checks of every call would cost more
than the fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Loss = Literal["ridge", "logistic"]
Inputs = Float[Tensor, "classes samples inputs"]
CERTAIN = 50.0  # the logit of a class that is the target of all samples, or of none
MAX_STEPS = 50
MAX_HALVINGS = 10  # of a step
TOLERANCE = 1e-9  # of the loss


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear function for each class.

    Args:
        coefficients: [C, d].
        intercepts: [C].
    """

    coefficients: Float[Tensor, "classes inputs"]
    intercepts: Float[Tensor, "classes"]

    @property
    def decided(self) -> int:
        """The class with the largest function where every input is 1."""
        return int((self.intercepts + self.coefficients.sum(dim=1)).argmax())


def fitted(
    inputs: Float[Tensor, "samples inputs"],
    targets: Float[Tensor, "samples classes"],
    weights: Float[Tensor, "samples"],
    loss: Loss,
    chosen: Tensor | None = None,
) -> Linear:
    """Fit a linear function for each class.

        argmin over b, b_0 of Σ_s weight_s loss(b·x_s + b_0, target_s) + |b|²

    with `|b|² / 2` for the logistic loss. A class that is the logistic target of all samples, or of
    none, has no finite optimum: it gets an intercept of plus or minus 50, and no coefficients.

    Args:
        inputs: [S, d].
        targets: [S, C].
        weights: [S].
        loss: `ridge` or `logistic`.
        chosen: the inputs [C, k] that each class may use; the other coefficients are 0. None for
            all.
    """
    n_classes = targets.shape[1]
    seen = inputs.expand(n_classes, -1, -1) if chosen is None else inputs.T[chosen].transpose(1, 2)
    design = torch.cat([seen, torch.ones_like(seen[:, :, :1])], dim=2)  # the intercept is the last
    solve = _ridge if loss == "ridge" else _logistic
    found = solve(design, targets.T, weights)
    coefficients = found[:, :-1]
    if chosen is not None:
        coefficients = torch.zeros(n_classes, inputs.shape[1], dtype=found.dtype).scatter(
            1, chosen, coefficients
        )
    return Linear(coefficients, found[:, -1])


def _ridge(design: Inputs, targets: Tensor, weights: Tensor) -> Tensor:
    weighted = design * weights[:, None]
    moments = weighted.mT @ design + torch.diag(_penalty(design))
    solution: Tensor = torch.linalg.solve(moments, (weighted.mT @ targets[:, :, None])[:, :, 0])
    return solution


def _logistic(design: Inputs, targets: Tensor, weights: Tensor) -> Tensor:
    """Newton's method, each class's step halved until its loss does not rise."""
    penalty, found = _penalty(design), design.new_zeros(design.shape[0], design.shape[2])
    share = targets.mean(dim=1)
    open_ = (share > 0) & (share < 1)
    found[:, -1] = torch.where(open_, found[:, -1], CERTAIN * (2 * share - 1))
    rows = open_.nonzero()[:, 0]
    design, targets = design[rows], targets[rows]
    if len(rows):
        found[rows] = _newton(design, targets, weights, penalty)
    return found


def _newton(design: Inputs, targets: Tensor, weights: Tensor, penalty: Tensor) -> Tensor:
    b = design.new_zeros(design.shape[0], design.shape[2])
    now = _risk(design, targets, weights, penalty, b)
    for _ in range(MAX_STEPS):
        p = (design @ b[:, :, None])[:, :, 0].sigmoid()
        slope = (design.mT @ (weights * (p - targets))[:, :, None])[:, :, 0] + penalty * b
        curvature = design.mT @ (design * (weights * p * (1 - p))[:, :, None]) + torch.diag(penalty)
        step = torch.linalg.solve(curvature, slope)
        for _ in range(MAX_HALVINGS):
            after = _risk(design, targets, weights, penalty, b - step)
            rises = after > now + TOLERANCE
            if not rises.any():
                break
            step = torch.where(rises[:, None], step / 2, step)
        b, now = b - step, _risk(design, targets, weights, penalty, b - step)
        if float(step.abs().max()) < 1e-6:
            break
    return b


def _risk(
    design: Inputs, targets: Tensor, weights: Tensor, penalty: Tensor, b: Tensor
) -> Float[Tensor, "classes"]:
    scores = (design @ b[:, :, None])[:, :, 0]
    losses = F.binary_cross_entropy_with_logits(scores, targets, reduction="none")
    return (losses * weights).sum(dim=1) + (penalty * b.square()).sum(dim=1) / 2


def _penalty(design: Inputs) -> Tensor:
    """Return 1 for each coefficient; tiny for the intercept, so that a matrix can be solved."""
    penalty = design.new_ones(design.shape[2])
    penalty[-1] = 1e-9
    return penalty
