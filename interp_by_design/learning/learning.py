"""What training by design and post hoc share: an objective over a schedule, its optimiser, what is logged and validated."""

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
    """One optimiser and one objective, with the interpreter's own losses where it has some; f learns too, or it does not.

    `optimizer` takes the parameters. `scheduler`, where given, takes the optimiser and `total_steps`, and is stepped with each
    batch. `class_weights` [C] weigh the samples of the prediction term. Stops with `UserError`, naming the terms, as soon as a
    loss is not finite.
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
        """What the optimiser is given: parameters, or groups of them."""

    @abstractmethod
    def interpretation(
        self, batch: Batch | BatchWithActivations, reconstruct: bool
    ) -> tuple[Batch, Interpretation]:
        """The images, and what f and g make of them."""

    def factors(self, epoch: float) -> dict[str, float]:
        """What each term of the objective counts at `epoch` (1.0 is the start of the first), and each of the interpreter's."""
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
                f"Optimiser and scheduler cannot be made for {steps} steps: {error}; see learning."
            ) from error
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def training_step(self, batch: Batch | BatchWithActivations, batch_index: int) -> Scalar:
        """The objective at this point of the schedule; its unweighted terms are logged as `train/<term>`."""
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
        # Where Lightning writes them, and for the line at the epoch's end: logging each step costs as much as a small network.
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]  # set from outside
        if (self.trainer.global_step + 1) % every == 0 or self.trainer.is_last_batch:
            size = len(
                images.labels
            )  # Lightning would guess it from whichever tensor it finds first
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
        # sync_dist says what is so already: RunningScores adds up over ranks by itself.
        self.log_dict(
            {f"val/{name}": value for name, value in scores.items() if name not in shown},
            sync_dist=True,
        )
        self.log_dict(
            {f"val/{name}": scores[name] for name in shown}, prog_bar=True, sync_dist=True
        )

    def _epoch(self, batch_index: int) -> float:
        """Where training stands, in epochs: 1.0 at its start, whatever part of it a resumed run skips."""
        return 1.0 + self.current_epoch + batch_index / max(1, self.trainer.num_training_batches)

    def _stop_if_not_finite(self, loss: Scalar, terms: Mapping[str, Tensor]) -> None:
        if torch.isfinite(loss):
            return
        guilty = {
            name: term.item() for name, term in terms.items() if not torch.isfinite(term)
        } or {"their sum": loss.item()}
        named = ", ".join(f"{name} = {value}" for name, value in guilty.items())
        raise UserError(
            f"The loss is not finite at step {self.trainer.global_step} (epoch {self.current_epoch + 1}): {named}. Training "
            "stopped; checkpoints of the epochs before are kept. Try a smaller learning.optimizer.lr, or "
            "trainer.gradient_clip_val=1."
        )


def learning_parameters(module: nn.Module) -> list[nn.Parameter]:
    """Those of `module` that are not frozen."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]
