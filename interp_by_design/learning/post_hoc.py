"""Fitting g to a predictor that stays as it is (FLINT's post-hoc interpretation)."""

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
    """One optimiser over dictionary, head and decoder; the objective without its prediction term. f is frozen.

    Frozen: it gets no gradient, it stays in evaluation mode whatever Lightning sets, and after the fit its parameters and buffers
    are the same to the last bit, which is checked, and told. Batches may bring the predictor's pass with them (`BatchWithActivations`): then
    it is not run at all. Checkpoints leave its weights out, and hold their hash instead.

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
        """Raises `UserError` for class weights, as they weigh a loss that is not there, and where f and g are one."""
        if class_weights is not None:
            raise UserError(
                "class_weights weigh the prediction term, and f learns nothing post hoc. Leave them out."
            )
        if model.interpreter.is_the_predictor:
            raise UserError(
                f"{type(model.interpreter).__name__} decides for f itself, so that no f is there to be explained post hoc. Use "
                "learning=by_design."
            )
        super().__init__(model, objective, optimizer, scheduler)
        self.model.predictor.requires_grad_(False).eval()
        self.predictor_hash = weights_hash(model.predictor.network)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.model.predictor.eval()
        return self

    def parameters_to_learn(self) -> list[nn.Parameter] | list[dict[str, Any]]:
        """Those of the interpreter that are not frozen."""
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
        """Raises `UserError` where the predictor is not what it was."""
        now = weights_hash(self.model.predictor.network)
        if now != self.predictor_hash:
            raise UserError(
                f"The predictor changed while the interpreter was fitted: its weights were {self.predictor_hash[:12]} and are "
                f"{now[:12]}. Look for a callback, or a network's own code, that writes into it."
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
    """Fits a dictionary that is not learned with the head, such as principal components, to the hidden layers of `batches()`."""
    dictionary = getattr(model.interpreter, "dictionary", None)
    if dictionary is None or not dictionary.needs_fit:
        return
    log.info("Fitting %s to the hidden layers of the training images", type(dictionary).__name__)

    def hidden() -> Iterator[tuple[Tensor, ...]]:
        passes = forward_passes(model.predictor, batches(), model.device)
        return (batch.seen.hidden for batch in passes)

    dictionary.fit(hidden, seed)
