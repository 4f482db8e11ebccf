"""A rival that is told more: attributes that are taught concepts by name. Knows nothing of where the labels come from."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.interpreter.joining import checked_weights
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

LEAST = 1e-6  # a probability counts as at least so much in a logarithm


@final
class ConceptBottleneck(Interpreter):
    """g = h ∘ Φ with `φ_j(x)` taught to be the probability of concept j: the ceiling of what supervision gives.

    Learns, beside the objective, `L_concepts = - mean_{x,j} [ t log φ_j(x) + (1 - t) log(1 - φ_j(x)) ]`, t = 1 where x has
    concept j, weighted by `concepts`: the joint bottleneck. The decoder learns to draw what the concepts tell, and teaches them
    nothing. Departs from its source in keeping f beside g: f decides by its own class head, g follows it.

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
        """Raises `UserError` for a weight that is negative or not finite."""
        super().__init__()
        self.dictionary, self.head, self.decoder, self.n_attributes = (
            dictionary,
            head,
            decoder,
            dictionary.n_attributes,
        )
        self.extra_weights = checked_weights(concepts=concepts)
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
                "This data tells no concepts, which a concept bottleneck is taught. Use data=factors, or another interpreter."
            )
        if len(concepts.names) != self.n_attributes:
            raise UserError(
                f"The data tells {len(concepts.names)} concepts ({', '.join(concepts.names)}), and there are {self.n_attributes} "
                f"attributes. Set attributes.n_attributes={len(concepts.names)}."
            )
        self.taught = concepts.names
        self.present = concepts.present.to(self.present)

    def extra_terms(self, seen: Interpretation, batch: Batch) -> dict[str, Scalar]:
        return {"concepts": concept_loss(seen.attributes, self.present[batch.indices])}


def concept_loss(probabilities: Attributes, present: Float[Tensor, "n attributes"]) -> Scalar:
    """Binary cross-entropy of probabilities in [0, 1] against 0 and 1, in nats; the mean over samples and concepts."""
    yes, no = (p.clamp(min=LEAST).log() for p in (probabilities, 1 - probabilities))
    return -(present * yes + (1 - present) * no).mean()
