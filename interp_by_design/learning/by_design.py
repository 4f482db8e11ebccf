"""Training of f and g together (FLINT's "supervised learning with interpretation")."""

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
    """Training of f and g together: every loss reaches the layers that they share.

    One optimiser serves predictor, dictionary, head and decoder.

    Args:
        model: The model to train.
        objective: The objective.
        optimizer: Makes the optimiser from the parameters.
        scheduler: Makes the schedule of the learning rate from the optimiser and `total_steps`; it
            is stepped with each batch. None for a constant rate.
        predictor_lr: The predictor's own learning rate, useful for a pretrained one; None for the
            optimiser's.
        class_weights: Weights of the samples of each class in the prediction term, [C]; None for
            equal weights.

    Raises:
        UserError: `predictor_lr` is negative or not finite, or the dictionary is fitted once to
            hidden layers that must not change.
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
        super().__init__(model, objective, optimizer, scheduler, class_weights)
        if predictor_lr is not None and not (
            isinstance(predictor_lr, int | float) and 0 <= predictor_lr < math.inf
        ):
            raise UserError(
                "predictor_lr must be a finite number >= 0, or null for the optimiser's, "
                f"not {predictor_lr!r}."
            )
        dictionary = getattr(model.interpreter, "dictionary", None)
        if getattr(dictionary, "needs_fit", False):
            raise UserError(
                f"{type(dictionary).__name__} is fitted once to the hidden layers of a "
                "network that does not change; by design they change with each step. "
                "Use learning=post_hoc, or attributes=topk."
            )
        self._predictor_lr = predictor_lr

    def parameters_to_learn(self) -> list[nn.Parameter] | list[dict[str, Any]]:
        """Return the parameters that learn, in two groups where the predictor has its own rate."""
        if self._predictor_lr is None:
            return learning_parameters(self.model)
        interpreter: dict[str, Any] = {"params": learning_parameters(self.model.interpreter)}
        predictor = {
            "params": learning_parameters(self.model.predictor),
            "lr": self._predictor_lr,
        }
        return [interpreter, predictor]

    def interpretation(
        self, batch: Batch | BatchWithActivations, reconstruct: bool
    ) -> tuple[Batch, Interpretation]:
        if not isinstance(batch, Batch):
            raise UserError(
                "A predictor that learns cannot be read from a cache: its hidden layers change "
                "with each step."
            )
        return batch, self.model(batch.images, reconstruct=reconstruct)
