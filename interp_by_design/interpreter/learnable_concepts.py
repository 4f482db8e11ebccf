"""The interpreter of concepts that are on or off: each is held to be on as often as a prior says. Knows nothing of labels."""

from __future__ import annotations

import math
from typing import final

from torch import nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.attributes.learnable_concepts import LearnableConceptDictionary
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.interpreter.joining import checked_weights
from interp_by_design.terms import Attributes, Batch, ForwardPass, Interpretation, Scalar, UserError

LEAST = 1e-6  # a share counts as at least so much in a logarithm


@final
class LearnableConcepts(Interpreter):
    """g = h ∘ Φ over concepts in {0, 1}; learns, beside the objective, `KL(share of each concept ‖ active)`, weighted by `prior`.

    The evidence bound of its source has three terms: what concepts tell of the image (input fidelity, gamma), what they tell of
    the class (there of the label, here of f's answer, beta), and this one.

    Source: De Santis et al. (2025), arXiv 2506.02092.
    """

    def __init__(
        self,
        dictionary: AttributeDictionary,
        head: LinearHead,
        decoder: nn.Module,
        active: float = 0.2,
        prior: float = 1.0,
    ) -> None:
        """`active` is the share of images that each concept is on for. Raises `UserError` for other dictionaries and values."""
        super().__init__()
        if not isinstance(dictionary, LearnableConceptDictionary):
            raise UserError(
                f"Learnable concepts need attributes=learnable_concepts, not {type(dictionary).__name__}."
            )
        if not isinstance(active, float) or not 0 < active < 1:
            raise UserError(
                f"active is the share of images that a concept is on for, between 0 and 1, not {active!r}."
            )
        self.dictionary, self.head, self.decoder, self.n_attributes = (
            dictionary,
            head,
            decoder,
            dictionary.n_attributes,
        )
        self.active, self.extra_weights = active, checked_weights(prior=prior)

    def forward(self, seen: ForwardPass) -> Attributes:
        attributes: Attributes = self.dictionary(seen.hidden)
        return attributes

    def extra_terms(self, seen: Interpretation, batch: Batch) -> dict[str, Scalar]:
        if self.dictionary.probabilities is None:
            raise UserError(
                "The prior of learnable concepts is held against a training batch, and there was none."
            )
        return {"prior": from_prior(self.dictionary.probabilities, self.active)}


def from_prior(probabilities: Attributes, active: float) -> Scalar:
    """`Σ_j [ π_j log(π_j / a) + (1 - π_j) log((1 - π_j) / (1 - a)) ] / sqrt(J)`, π_j the batch's mean of p_j; in nats.

    Source: the published code of De Santis et al. (2025); the evidence bound that it stands for has each sample's divergence.
    """
    share = probabilities.mean(dim=0)
    on, off = share.clamp(min=LEAST), (1 - share).clamp(min=LEAST)
    divergence = share * (on / active).log() + (1 - share) * (off / (1 - active)).log()
    return divergence.sum() / math.sqrt(len(share))
