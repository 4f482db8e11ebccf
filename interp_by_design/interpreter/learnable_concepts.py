"""Interpreter of binary concepts, each on as often as a prior says."""

from __future__ import annotations

import math
from typing import final

from torch import nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.attributes.learnable_concepts import LearnableConceptDictionary
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.interpreter.joining import nonzero_weights
from interp_by_design.terms import Attributes, Batch, ForwardPass, Interpretation, Scalar, UserError

MIN_SHARE = 1e-6  # in a logarithm


@final
class LearnableConcepts(Interpreter):
    """g = h ∘ Φ over concepts in {0, 1}, with a prior on the share of images that each is on for.

    The evidence bound of its source has three terms: the reconstruction (input fidelity, gamma),
    the class (there the label, here f's answer, beta), and `prior_divergence`.

    Args:
        dictionary: Φ, a `LearnableConceptDictionary`.
        head: h.
        decoder: d.
        active: The prior share of images that each concept is on for, in (0, 1).
        prior: The weight of `prior_divergence`, >= 0.

    Raises:
        UserError: Another dictionary is given, or a number is out of its range.

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
        super().__init__()
        if not isinstance(dictionary, LearnableConceptDictionary):
            raise UserError(
                "Learnable concepts need attributes=learnable_concepts, "
                f"not {type(dictionary).__name__}."
            )
        if not isinstance(active, float) or not 0 < active < 1:
            raise UserError(
                "active is the share of images that a concept is on for, between 0 and 1, "
                f"not {active!r}."
            )
        self.dictionary, self.head, self.decoder = dictionary, head, decoder
        self.n_attributes = dictionary.n_attributes
        self.active, self.extra_weights = active, nonzero_weights(prior=prior)

    def forward(self, seen: ForwardPass) -> Attributes:
        attributes: Attributes = self.dictionary(seen.hidden)
        return attributes

    def extra_terms(self, seen: Interpretation, batch: Batch) -> dict[str, Scalar]:
        if self.dictionary.probabilities is None:
            raise UserError(
                "The prior of learnable concepts is compared to a training batch, and there was "
                "none."
            )
        return {"prior": prior_divergence(self.dictionary.probabilities, self.active)}


def prior_divergence(probabilities: Attributes, active: float) -> Scalar:
    """Compute `Σ_j [ π_j log(π_j / a) + (1 - π_j) log((1 - π_j) / (1 - a)) ] / sqrt(J)`.

    Args:
        probabilities: p, [n, J], whose mean over the batch is π, [J].
        active: The prior share a, in (0, 1).

    Returns:
        The divergence in nats, >= 0.

    Source: the published code of De Santis et al. (2025); their evidence bound has each sample's
    divergence in its place.

    >>> import torch
    >>> prior_divergence(torch.tensor([[0.25], [0.75]]), active=0.5).item()
    0.0
    """
    share = probabilities.mean(dim=0)
    on, off = share.clamp(min=MIN_SHARE), (1 - share).clamp(min=MIN_SHARE)
    divergence = share * (on / active).log() + (1 - share) * (off / (1 - active)).log()
    return divergence.sum() / math.sqrt(len(share))
