"""Training f and g together (FLINT's "supervised learning with interpretation")."""

from __future__ import annotations

import math
from typing import Any, final

from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.learning.learning import (
    Learning,
    OptimizerFactory,
    SchedulerFactory,
    learning_parameters,
)
from interp_by_design.learning.objective import Objective
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, BatchWithActivations, Interpretation, UserError


@final
class ByDesign(Learning):
    """One optimiser over predictor, dictionary, head and decoder; every loss reaches the layers that they share.

    `predictor_lr` is the predictor's own learning rate, as for a pretrained one; None is the optimiser's. The rest is as
    `Learning` has it.
    """

    def __init__(
        self,
        model: InterpretableModel,
        objective: Objective,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        predictor_lr: float | None = None,
        class_weights: Float[Tensor, "classes"] | None = None,
    ) -> None:
        """Raises `UserError` for a rate that cannot be, and for a dictionary that is fitted to hidden layers that stay."""
        super().__init__(model, objective, optimizer, scheduler, class_weights)
        if predictor_lr is not None and not (
            isinstance(predictor_lr, int | float) and 0 <= predictor_lr < math.inf
        ):
            raise UserError(
                f"predictor_lr must be a finite number >= 0, or null for the optimiser's, not {predictor_lr!r}."
            )
        dictionary = getattr(model.interpreter, "dictionary", None)
        if getattr(dictionary, "needs_fit", False):
            raise UserError(
                f"{type(dictionary).__name__} is fitted once to the hidden layers of a network that stays as it is; by design "
                "they change with each step. Use learning=post_hoc, or attributes=topk."
            )
        self._predictor_lr = predictor_lr

    def parameters_to_learn(self) -> list[nn.Parameter] | list[dict[str, Any]]:
        """Those that learn; in two groups where the predictor has a rate of its own."""
        if self._predictor_lr is None:
            return learning_parameters(self.model)
        ours: dict[str, Any] = {"params": learning_parameters(self.model.interpreter)}
        return [
            ours,
            {"params": learning_parameters(self.model.predictor), "lr": self._predictor_lr},
        ]

    def interpretation(
        self, batch: Batch | BatchWithActivations, reconstruct: bool
    ) -> tuple[Batch, Interpretation]:
        if not isinstance(batch, Batch):
            raise UserError(
                "A predictor that learns cannot be read from a cache: its hidden layers change with each step."
            )
        return batch, self.model(batch.images, reconstruct=reconstruct)
