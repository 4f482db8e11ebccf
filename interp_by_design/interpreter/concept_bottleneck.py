"""Concept-bottleneck baseline: attributes that learn from concept labels."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.interpreter.joining import nonzero_weights
from interp_by_design.terms import (
    Attributes,
    Batch,
    Concepts,
    ForwardPass,
    Images,
    Interpretation,
    Scalar,
    UserError,
)

MIN_PROBABILITY = 1e-6  # in a logarithm


@final
class ConceptBottleneck(Interpreter):
    """g = h ∘ Φ with `φ_j(x)` the learned probability of concept j: an upper bound by supervision.

    In addition to the objective it learns from `concept_loss`, as the joint bottleneck does. The
    decoder learns from the concepts and teaches them nothing.

    Args:
        dictionary: Φ, with values in [0, 1].
        head: h.
        decoder: d.
        concepts: The weight of `concept_loss`, >= 0.

    Raises:
        UserError: The weight is negative or not finite.

    Departs from its source in keeping f next to g: f decides by its own class head, g follows it.

    Source: Koh et al. (2020), arXiv 2007.04612, section 3.
    """

    present: Tensor

    def __init__(
        self,
        dictionary: AttributeDictionary,
        head: LinearHead,
        decoder: nn.Module,
        concepts: float = 1.0,
    ) -> None:
        super().__init__()
        self.dictionary, self.head, self.decoder = dictionary, head, decoder
        self.n_attributes = dictionary.n_attributes
        self.extra_weights = nonzero_weights(concepts=concepts)
        self.register_buffer("present", torch.zeros(0, self.n_attributes), persistent=False)

    def forward(self, seen: ForwardPass) -> Attributes:
        attributes: Attributes = self.dictionary(seen.hidden)
        return attributes

    def reconstruct(self, seen: ForwardPass, attributes: Attributes) -> Images:
        image: Images = self.decoder(attributes.detach())
        return image

    def learn_from(self, concepts: Concepts | None) -> None:
        if concepts is None:
            raise UserError(
                "This data set has no concept labels, which a concept bottleneck learns from. "
                "Use data=factors, or another interpreter."
            )
        if len(concepts.names) != self.n_attributes:
            raise UserError(
                f"The data set labels {len(concepts.names)} concepts "
                f"({', '.join(concepts.names)}), "
                f"and there are {self.n_attributes} attributes. "
                f"Set attributes.n_attributes={len(concepts.names)}."
            )
        self.concept_names = concepts.names
        self.present = concepts.present.to(self.present)

    def extra_terms(self, seen: Interpretation, batch: Batch) -> dict[str, Scalar]:
        return {"concepts": concept_loss(seen.attributes, self.present[batch.indices])}


def concept_loss(probabilities: Attributes, present: Float[Tensor, "n attributes"]) -> Scalar:
    """Compute `- mean_{x,j} [ t log φ_j(x) + (1 - t) log(1 - φ_j(x)) ]`.

    Args:
        probabilities: φ(x), [n, J] in [0, 1].
        present: t, [n, J], 1 where x has concept j, else 0.

    Returns:
        The binary cross-entropy in nats, a mean over samples and concepts.

    >>> round(concept_loss(torch.tensor([[0.5]]), torch.tensor([[1.0]])).item(), 3)
    0.693
    """
    yes, no = (p.clamp(min=MIN_PROBABILITY).log() for p in (probabilities, 1 - probabilities))
    return -(present * yes + (1 - present) * no).mean()
