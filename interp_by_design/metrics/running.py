"""Running scores of validation passes, batch by batch, without a table."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor
from torchmetrics import Metric

from interp_by_design.metrics.agreement import agrees, is_right, kl, probability_error
from interp_by_design.metrics.reconstruction import squared_error
from interp_by_design.metrics.table_batches import require_finite
from interp_by_design.metrics.tau_curves import conciseness_abs
from interp_by_design.metrics.usage import dead_attributes
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
MEANS = (
    "predictor_accuracy",
    "interpreter_accuracy",
    "fidelity",
    "kl",
    "probability_error",
    "conciseness_abs@5",
)


@final
class RunningScores(Metric):
    """Scores of the batches since the last `reset`, equal to the scorecard's of the same samples.

    One is not in the scorecard: `silent_attributes`, the number with φ > 0 on less than 0.1 % of
    the samples. Whether an attribute is *dead* depends on the mean of all φ, which is known only at
    the end. φ > ε implies φ > 0, so that at least as many attributes are dead as are silent.

    States are sums, J + 9 numbers, and add up over ranks.

    Args:
        n_attributes: The dictionary's number of attributes, J.
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
        """Add a batch.

        Args:
            interpretation: What f and g compute of the images.
            labels: The labels, [n].
            images: The images, [n, c, h, w], in [0, 1].
            head_weights: The head's weights, [C, J].

        Raises:
            UserError: A label is no class, or a column holds NaN or an infinity.
        """
        for name, added in _batch_sums(interpretation, labels, images, head_weights).items():
            setattr(self, _state(name), getattr(self, _state(name)) + added)

    def compute(self) -> dict[str, Tensor]:
        """Compute the scores of all batches since the last reset.

        Returns:
            Scalars by key; reconstruction_mse only where reconstructions were given.

        Raises:
            UserError: There was no sample.
        """
        samples, reconstructed = self._sum("samples"), self._sum("reconstructed")
        if not samples:
            raise UserError(
                "There are no running scores yet: no sample was given to update() "
                "since the last reset()."
            )
        scores = {name: self._sum(name) / samples for name in MEANS}
        if reconstructed:
            scores["reconstruction_mse"] = self._sum("reconstruction_mse") / reconstructed
        silent = dead_attributes(self._sum("positive") / samples)
        return scores | {"silent_attributes": silent.sum().float()}

    def _sum(self, name: str) -> Tensor:
        state: Tensor = getattr(self, _state(name))
        return state


def _state(name: str) -> str:
    # States are attributes of a module: no "@" in them, and no name that Metric has itself.
    return "sum_" + name.replace("@", "_at_")


def _batch_sums(
    interpretation: Interpretation, labels: Labels, images: Images, head_weights: HeadWeights
) -> dict[str, Tensor | int]:
    require_classes(labels, head_weights.shape[0])
    columns = {
        name: column.detach().float()
        for name, column in interpretation._asdict().items()
        if column is not None
    }
    require_finite(columns)
    f, g, phi = columns["predictor"], columns["interpreter"], columns["attributes"]
    relevance = local_relevance(phi, head_weights.detach().float(), g.argmax(dim=1))
    sums: dict[str, Tensor | int] = {
        "samples": len(labels),
        "predictor_accuracy": is_right(f, labels).sum(),
        "interpreter_accuracy": is_right(g, labels).sum(),
        "fidelity": agrees(f, g).sum(),
        "kl": kl(f, g).sum(),
        "probability_error": probability_error(f, g).sum(),
        "conciseness_abs@5": conciseness_abs(relevance, 5).sum(),
        "positive": (phi > 0).sum(dim=0),
    }
    if "reconstruction" in columns:
        error = squared_error(columns["reconstruction"], images.float())
        sums |= {"reconstructed": len(labels), "reconstruction_mse": error.sum()}
    return sums
