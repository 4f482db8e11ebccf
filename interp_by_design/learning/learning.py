"""The base of training by design and post hoc: objective, optimiser, logging, validation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from interp_by_design.learning.objective import Objective
from interp_by_design.learning.shown import shown_decision
from interp_by_design.metrics import RunningScores
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, BatchWithActivations, Interpretation, Scalar, UserError

OptimizerFactory = Callable[[Iterable[nn.Parameter] | list[dict[str, Any]]], Optimizer]
SchedulerFactory = Callable[..., LRScheduler]


class Learning(pl.LightningModule, ABC):
    """One optimiser and one objective, with the interpreter's own losses where it has some.

    Training stops with a `UserError` that names the terms as soon as a loss is not finite.

    Args:
        model: The model to train.
        objective: The objective.
        optimizer: Makes the optimiser from the parameters.
        scheduler: Makes the schedule of the learning rate from the optimiser and `total_steps`; it
            is stepped with each batch. None for a constant rate.
        class_weights: Weights of the samples of each class in the prediction term, [C]; None for
            equal weights.
    """

    class_weights: Tensor | None

    def __init__(
        self,
        model: InterpretableModel,
        objective: Objective,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        class_weights: Float[Tensor, "classes"] | None = None,
    ) -> None:
        super().__init__()
        self.model, self.objective = model, objective
        self.register_buffer("class_weights", class_weights, persistent=False)
        self._optimizer, self._scheduler = optimizer, scheduler
        self.running = RunningScores(model.interpreter.n_attributes)

    @abstractmethod
    def parameters_to_learn(self) -> list[nn.Parameter] | list[dict[str, Any]]:
        """Return the optimiser's parameters, or groups of them."""

    @abstractmethod
    def interpretation(
        self, batch: Batch | BatchWithActivations, reconstruct: bool
    ) -> tuple[Batch, Interpretation]:
        """Compute f and g on a batch.

        Args:
            batch: The images, with f's activations where these are cached.
            reconstruct: Whether to decode the attributes.

        Returns:
            The images, and their interpretation.
        """

    def factors(self, epoch: float) -> dict[str, float]:
        """Return the factor of each term of the objective, and of the interpreter's own terms.

        Args:
            epoch: The time in epochs: 1.0 is the start of the first, 1.5 its middle.

        Returns:
            The factors, by term.
        """
        return {**self.objective.factors(epoch), **self.model.interpreter.extra_weights}

    def configure_optimizers(self) -> Any:  # Lightning's own return type is a union of a dozen
        steps = self.trainer.estimated_stepping_batches
        try:
            optimizer = self._optimizer(self.parameters_to_learn())
            if self._scheduler is None:
                return optimizer
            scheduler = self._scheduler(optimizer, total_steps=int(steps))
        except (TypeError, ValueError, ArithmeticError) as error:
            raise UserError(
                f"Optimiser and scheduler cannot be made for {steps} steps: {error}. "
                "Change learning.optimizer or learning.scheduler."
            ) from error
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def training_step(self, batch: Batch | BatchWithActivations, batch_index: int) -> Scalar:
        """Return the objective, and log its unweighted terms as `train/<term>`."""
        factors = self.factors(self._epoch(batch_index))
        images, seen = self.interpretation(batch, reconstruct=factors["input_fidelity"] > 0)
        shown = (
            shown_decision(self.model.interpreter.head, seen) if factors["sufficiency"] else None
        )
        terms = self.objective.terms(
            seen, images, factors, self.class_weights, shown, self.model.interpreter.teaches
        )
        if self.model.interpreter.extra_weights:
            terms |= self.model.interpreter.extra_terms(seen, images)
        if not terms:
            raise UserError(
                f"Every term's factor is 0 in epoch {self.current_epoch + 1}: nothing to learn."
            )
        loss = self.objective.total(terms, factors)
        self._stop_if_not_finite(loss, terms)
        # Only where Lightning writes them, and at the end of an epoch: logging each step costs as
        # much as a small network.
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if (self.trainer.global_step + 1) % every == 0 or self.trainer.is_last_batch:
            size = len(images.labels)  # Lightning would guess it from the first tensor it finds
            self.log_dict(
                {f"train/{name}": term.detach() for name, term in terms.items()},
                sync_dist=True,
                batch_size=size,
            )
            self.log("train/loss", loss.detach(), prog_bar=True, sync_dist=True, batch_size=size)
        return loss

    def validation_step(self, batch: Batch | BatchWithActivations, batch_index: int) -> None:
        images, seen = self.interpretation(batch, reconstruct=True)
        self.running.update(seen, images.labels, images.images, self.model.interpreter.head.weights)

    def on_validation_epoch_end(self) -> None:
        scores = self.running.compute()
        self.running.reset()
        shown = ("predictor_accuracy", "interpreter_accuracy", "fidelity")
        # RunningScores adds up over ranks by itself; sync_dist keeps Lightning from warning.
        self.log_dict(
            {f"val/{name}": value for name, value in scores.items() if name not in shown},
            sync_dist=True,
        )
        self.log_dict(
            {f"val/{name}": scores[name] for name in shown}, prog_bar=True, sync_dist=True
        )

    def _epoch(self, batch_index: int) -> float:
        """Return the time in epochs: 1.0 at the start of training, also of a resumed one."""
        return 1.0 + self.current_epoch + batch_index / max(1, self.trainer.num_training_batches)

    def _stop_if_not_finite(self, loss: Scalar, terms: Mapping[str, Tensor]) -> None:
        if torch.isfinite(loss):
            return
        not_finite = {
            name: term.item() for name, term in terms.items() if not torch.isfinite(term)
        } or {"their sum": loss.item()}
        named = ", ".join(f"{name} = {value}" for name, value in not_finite.items())
        raise UserError(
            f"The loss is not finite at step {self.trainer.global_step} "
            f"(epoch {self.current_epoch + 1}): {named}. Training stopped; checkpoints of the "
            "epochs before are kept. Try a smaller learning.optimizer.lr, or "
            "trainer.gradient_clip_val=1."
        )


def learning_parameters(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a module that are not frozen.

    Args:
        module: The module.

    Returns:
        The parameters that require gradients.
    """
    return [parameter for parameter in module.parameters() if parameter.requires_grad]
