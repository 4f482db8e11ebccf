"""A rival by design: concepts that are on or off, without labels of their own. Knows nothing of how often each may be on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary, checked_count
from interp_by_design.attributes.pooled_features import all_features, cell_count
from interp_by_design.terms import Attributes, UserError, check_whole

Embeddings = Float[Tensor, "n attributes embedding"]
NEVER = 1e-6  # a uniform draw keeps so far from 0 and 1


@final
class LearnableConceptDictionary(AttributeDictionary):
    """Φ_j = c_j s(e_j), with c_j in {0, 1}, one embedding e_j(x) and one prototype q_j for each concept.

        e(x) = an MLP of the standardised hidden layers;   p_j = sigmoid(q_j · e_j(x)), lengths of both at most sqrt(bound)
        training: c_j = sigmoid((logit p_j + logit u) / temperature), u uniform;   otherwise c_j = 1 where p_j > 1/2

    s(e_j) = softplus(v · e_j), v the same for all concepts, is how strong a concept is; without `strength` it is 1. While
    training, `probabilities` holds p [n, J] of the last batch, which a prior is held against.

    Source: the Learnable Concept-Based Model, De Santis et al. (2025), arXiv 2506.02092, and its published code. There a class's
    weight of a concept is a network of its embedding, w_c(e_j), so that each image has weights of its own; here h is linear with
    weights W_cj that hold for all images, and s(e_j) W_cj is what is left of it. Departs also in a temperature that stays.
    """

    probabilities: Attributes | None

    def __init__(
        self,
        shapes: Sequence[torch.Size],
        n_attributes: int,
        embedding: int = 16,
        pooled: int = 3,
        temperature: float = 1 / 3,
        strength: bool = True,
    ) -> None:
        """Raises `UserError` unless n_attributes, embedding and pooled are at least 1, and temperature is positive and finite."""
        super().__init__()
        check_whole("embedding", embedding, minimum=1)
        if not isinstance(temperature, int | float) or not 0 < temperature < math.inf:
            raise UserError(
                f"temperature must be a positive number, not {temperature!r}: small ones make concepts nearly 0 or 1."
            )
        self.n_attributes, self.pooled = checked_count(n_attributes), pooled
        self.temperature, self.bound = float(temperature), 20.0
        size, width = n_attributes * embedding, cell_count(shapes, pooled)
        self.standardise = nn.BatchNorm1d(width, affine=False)
        self.embed = nn.Sequential(
            nn.Linear(width, size),
            nn.ReLU(),
            nn.Linear(size, size),
            nn.Unflatten(1, (n_attributes, embedding)),
        )
        self.prototypes = nn.Parameter(torch.randn(n_attributes, embedding))
        self.strength = nn.Linear(embedding, 1) if strength else None
        self.probabilities = None

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        embeddings = self.embeddings(hidden)
        logits = self.logits(embeddings)
        if not self.training:
            return (logits > 0).to(logits) * self._strength(embeddings)
        self.probabilities = logits.sigmoid()
        return relaxed(logits, self.temperature) * self._strength(embeddings)

    def dense(self, hidden: Sequence[Tensor]) -> Attributes:
        embeddings = self.embeddings(hidden)
        return self.logits(embeddings).sigmoid() * self._strength(embeddings)

    def embeddings(self, hidden: Sequence[Tensor]) -> Embeddings:
        """e(x), of length sqrt(bound) at most."""
        embeddings: Tensor = self.embed(self.standardise(all_features(hidden, self.pooled)))
        return shortened(embeddings, math.sqrt(self.bound))

    def logits(self, embeddings: Embeddings) -> Float[Tensor, "n attributes"]:
        """q_j · e_j, within -bound and bound: positive where concept j is on."""
        return (embeddings * shortened(self.prototypes, math.sqrt(self.bound))).sum(dim=2)

    def _strength(self, embeddings: Embeddings) -> Attributes:
        if self.strength is None:
            return torch.ones_like(embeddings[:, :, 0])
        return F.softplus(self.strength(embeddings)[:, :, 0])


def relaxed(logits: Attributes, temperature: float) -> Attributes:
    """`sigmoid((logit p + logit u) / temperature)`, u uniform: a draw of a Bernoulli variable, in [0, 1], that has a gradient.

    Source: Maddison et al. (2017), arXiv 1611.00712, section 4 (binary concrete).
    """
    u = torch.rand_like(logits).clamp(NEVER, 1 - NEVER)
    return ((logits + u.logit()) / temperature).sigmoid()


def shortened(vectors: Tensor, longest: float) -> Tensor:
    """Vectors along the last axis, none longer than `longest`."""
    length: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors * (longest / length.clamp(min=longest))
