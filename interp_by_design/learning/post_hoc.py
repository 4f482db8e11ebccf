"""Training of g on a frozen predictor (FLINT's post-hoc interpretation)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from interp_by_design.activations import forward_passes
from interp_by_design.learning.learning import (
    Learning,
    OptimizerFactory,
    SchedulerFactory,
    learning_parameters,
)
from interp_by_design.learning.objective import Objective
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import weights_hash
from interp_by_design.terms import Batch, BatchWithActivations, Interpretation, UserError

log = logging.getLogger(__name__)

PREDICTOR = "model.predictor."  # of its entries in a checkpoint's state dict
HASH = "predictor_hash"

Batches = Callable[[], Iterable[Batch | BatchWithActivations]]


@final
class PostHoc(Learning):
    """Training of g on a frozen f, by the objective without its prediction term.

    f gets no gradient and stays in evaluation mode. After the fit its parameters and buffers are
    bit-identical, which is checked and logged. Where batches bring f's activations with them
    (`BatchWithActivations`), f does not run at all. Checkpoints hold the hash of f's weights
    instead of the weights.

    Args:
        model: The model, whose predictor is frozen.
        objective: The objective.
        optimizer: Makes the optimiser from the parameters.
        scheduler: Makes the schedule of the learning rate from the optimiser and `total_steps`; it
            is stepped with each batch. None for a constant rate.
        class_weights: Must be None: they weigh the prediction term, which is absent.

    Raises:
        UserError: There are class weights, or f and g are the same.

    Source: FLINT, section 6.
    """

    def __init__(
        self,
        model: InterpretableModel,
        objective: Objective,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        class_weights: Tensor | None = None,
    ) -> None:
        if class_weights is not None:
            raise UserError(
                "class_weights weigh the prediction term, and f learns nothing post hoc. "
                "Leave them out."
            )
        if model.interpreter.is_the_predictor:
            raise UserError(
                f"{type(model.interpreter).__name__} decides for f itself, so that there is no f "
                "to explain post hoc. Use learning=by_design."
            )
        super().__init__(model, objective, optimizer, scheduler)
        self.model.predictor.requires_grad_(False).eval()
        self.predictor_hash = weights_hash(model.predictor.network)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.model.predictor.eval()
        return self

    def parameters_to_learn(self) -> list[nn.Parameter] | list[dict[str, Any]]:
        """Return the parameters of the interpreter that are not frozen."""
        return learning_parameters(self.model.interpreter)

    def factors(self, epoch: float) -> dict[str, float]:
        return super().factors(epoch) | {"prediction": 0.0}

    def interpretation(
        self, batch: Batch | BatchWithActivations, reconstruct: bool
    ) -> tuple[Batch, Interpretation]:
        if isinstance(batch, BatchWithActivations):
            return batch.batch, self.model.interpret(batch.seen, reconstruct)
        with torch.no_grad():
            seen = self.model.predictor(batch.images)
        return batch, self.model.interpret(seen, reconstruct)

    def on_train_end(self) -> None:
        """Check that the predictor has not changed."""
        now = weights_hash(self.model.predictor.network)
        if now != self.predictor_hash:
            raise UserError(
                "The predictor changed while the interpreter was fitted: the hash of its weights "
                f"was {self.predictor_hash[:12]} and is {now[:12]}. Look for a callback, or for "
                "code of the network, that writes into it."
            )
        log.info("The predictor is bit-identical before and after: SHA-256 %s", now[:12])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {
            name: value for name, value in state.items() if not name.startswith(PREDICTOR)
        }
        checkpoint[HASH] = self.predictor_hash

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        own = self.state_dict()
        checkpoint["state_dict"] |= {
            name: value for name, value in own.items() if name.startswith(PREDICTOR)
        }


def fit_dictionary(model: InterpretableModel, batches: Batches, seed: int) -> None:
    """Fit a dictionary that is not learned with the head, such as principal components.

    Args:
        model: The model; nothing happens where its dictionary learns with the head.
        batches: Returns the training images, or their activations, batch by batch.
        seed: The seed of the fit.
    """
    dictionary = getattr(model.interpreter, "dictionary", None)
    if dictionary is None or not dictionary.needs_fit:
        return
    log.info("Fitting %s to the hidden layers of the training images", type(dictionary).__name__)

    def hidden() -> Iterator[tuple[Tensor, ...]]:
        passes = forward_passes(model.predictor, batches(), model.device)
        return (batch.seen.hidden for batch in passes)

    dictionary.fit(hidden, seed)
