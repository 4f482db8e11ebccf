"""Running scores: what a validation pass can add up batch by batch, without keeping a table.

Does not know epochs, splits or loggers.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor
from torchmetrics import Metric

from interp_by_design.metrics.agreement import agrees, divergence, is_right, probability_error
from interp_by_design.metrics.reconstruction import squared_error
from interp_by_design.metrics.table_batches import require_finite
from interp_by_design.metrics.tau_curves import conciseness_abs
from interp_by_design.metrics.usage import dead
from interp_by_design.relevance import local_relevance, require_classes
from interp_by_design.terms import HeadWeights, Images, Interpretation, Labels, UserError

COUNTS = (
    "samples",
    "reconstructed",
    "predictor_accuracy",
    "interpreter_accuracy",
    "fidelity",
    "conciseness_abs@5",
)
SUMS = ("kl", "probability_error", "reconstruction_mse")


@final
class RunningScores(Metric):
    """Scores of the batches since the last `reset`, equal to the scorecard's of the same samples and under the same keys.

    One is not the scorecard's and has its own name: `silent_attributes`, those with φ > 0 on less than 0.1 % of the samples.
    Whether an attribute is *dead* hangs on the mean of all φ, which is known only at the end; φ > ε implies φ > 0, so no
    dictionary has fewer dead attributes than silent ones. States are sums, J + 9 numbers, and add up over ranks.
    """

    full_state_update = False

    def __init__(self, n_attributes: int) -> None:
        super().__init__()
        for name in COUNTS:
            self.add_state(_state(name), default=torch.tensor(0), dist_reduce_fx="sum")
        for name in SUMS:
            self.add_state(_state(name), default=torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state(
            "sum_positive",
            default=torch.zeros(n_attributes, dtype=torch.long),
            dist_reduce_fx="sum",
        )

    def update(
        self,
        interpretation: Interpretation,
        labels: Labels,
        images: Images,
        head_weights: HeadWeights,
    ) -> None:
        """Adds a batch; images are in [0, 1]. UserError for labels outside 0..C-1, and for a column with NaN or an infinity."""
        for name, added in _added(interpretation, labels, images, head_weights).items():
            setattr(self, _state(name), getattr(self, _state(name)) + added)

    def compute(self) -> dict[str, Tensor]:
        """Scores by key, scalars; `reconstruction_mse` only where reconstructions were given. UserError before any sample."""
        samples, reconstructed = self._of("samples"), self._of("reconstructed")
        if not samples:
            raise UserError(
                "There are no running scores yet: no sample was given to update() since the last reset()."
            )
        means = (
            "predictor_accuracy",
            "interpreter_accuracy",
            "fidelity",
            "kl",
            "probability_error",
            "conciseness_abs@5",
        )
        scores = {name: self._of(name) / samples for name in means}
        if reconstructed:
            scores["reconstruction_mse"] = self._of("reconstruction_mse") / reconstructed
        return scores | {"silent_attributes": dead(self._of("positive") / samples).sum().float()}

    def _of(self, name: str) -> Tensor:
        state: Tensor = getattr(self, _state(name))
        return state


def _state(name: str) -> str:
    # States are attributes of a module: no "@" in them, and no name that Metric has itself.
    return "sum_" + name.replace("@", "_at_")


def _added(
    interpretation: Interpretation, labels: Labels, images: Images, head_weights: HeadWeights
) -> dict[str, Tensor | int]:
    """What one batch adds to each sum."""
    require_classes(labels, head_weights.shape[0])
    seen = {
        name: column.detach().float()
        for name, column in interpretation._asdict().items()
        if column is not None
    }
    require_finite(seen)
    f, g, phi = seen["predictor"], seen["interpreter"], seen["attributes"]
    relevance = local_relevance(phi, head_weights.detach().float(), g.argmax(dim=1))
    added: dict[str, Tensor | int] = {
        "samples": len(labels),
        "predictor_accuracy": is_right(f, labels).sum(),
        "interpreter_accuracy": is_right(g, labels).sum(),
        "fidelity": agrees(f, g).sum(),
        "kl": divergence(f, g).sum(),
        "probability_error": probability_error(f, g).sum(),
        "conciseness_abs@5": conciseness_abs(relevance, 5).sum(),
        "positive": (phi > 0).sum(dim=0),
    }
    if "reconstruction" in seen:
        error = squared_error(seen["reconstruction"], images.float())
        added |= {"reconstructed": len(labels), "reconstruction_mse": error.sum()}
    return added
