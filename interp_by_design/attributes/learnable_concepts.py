"""Baseline by design: binary concepts, learned without labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary, check_count
from interp_by_design.attributes.pooled_features import all_features, feature_count
from interp_by_design.terms import Attributes, UserError, check_whole

Embeddings = Float[Tensor, "n attributes embedding"]
MIN_DRAW = 1e-6  # distance of a uniform draw from 0 and 1, so that its logit is finite
MAX_LOGIT = 20.0


@final
class LearnableConceptDictionary(AttributeDictionary):
    """Φ_j = c_j s(e_j), with c_j in {0, 1}, an embedding e_j(x) and a prototype q_j a concept.

        e(x) = an MLP of the standardised hidden layers
        p_j = sigmoid(q_j · e_j(x)), the lengths of q_j and e_j at most sqrt(bound)
        training:  c_j = sigmoid((logit p_j + logit u) / temperature), u uniform
        otherwise: c_j = 1 where p_j > 1/2

    s(e_j) = softplus(v · e_j), v the same for all concepts, is the strength of a concept. During
    training, `probabilities` holds p [n, J] of the last batch, which the interpreter compares to a
    prior.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        n_attributes: The number of concepts J.
        embedding: The size of each embedding.
        pooled: The side of the grid that maps are averaged to.
        temperature: Of the relaxed draws; small values make concepts nearly 0 or 1.
        strength: Whether concepts have a strength; otherwise s is 1.

    Raises:
        UserError: A number is below 1, or the temperature is not positive and finite.

    Source: the Learnable Concept-Based Model, De Santis et al. (2025), arXiv 2506.02092, and its
    published code. There a class's weight of a concept is a network of its embedding, w_c(e_j), so
    that each image has weights of its own; here h is linear with weights W_cj for all images, and
    s(e_j) W_cj takes its place. Departs also in a constant temperature.
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
        super().__init__()
        check_whole("embedding", embedding, minimum=1)
        if not isinstance(temperature, int | float) or not 0 < temperature < math.inf:
            raise UserError(
                f"temperature must be a positive number, not {temperature!r}: small ones make "
                "concepts nearly 0 or 1."
            )
        self.n_attributes, self.pooled = check_count(n_attributes), pooled
        self.temperature, self.bound = float(temperature), MAX_LOGIT
        size, width = n_attributes * embedding, feature_count(shapes, pooled)
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
        """Return e(x), each of length at most sqrt(bound).

        Args:
            hidden: The hidden layers of n samples.

        Returns:
            The embedding of each concept, [n, J, embedding].
        """
        embeddings: Tensor = self.embed(self.standardise(all_features(hidden, self.pooled)))
        return shortened(embeddings, math.sqrt(self.bound))

    def logits(self, embeddings: Embeddings) -> Float[Tensor, "n attributes"]:
        """Return q_j · e_j, which is positive where concept j is on.

        Args:
            embeddings: e(x), [n, J, embedding].

        Returns:
            The logits of p, [n, J], in -bound..bound.
        """
        return (embeddings * shortened(self.prototypes, math.sqrt(self.bound))).sum(dim=2)

    def _strength(self, embeddings: Embeddings) -> Attributes:
        if self.strength is None:
            return torch.ones_like(embeddings[:, :, 0])
        return F.softplus(self.strength(embeddings)[:, :, 0])


def relaxed(logits: Attributes, temperature: float) -> Attributes:
    """Draw `sigmoid((logit p + logit u) / temperature)`, u uniform: relaxed Bernoulli draws.

    Args:
        logits: logit p, [n, J].
        temperature: Positive; small values make draws nearly 0 or 1.

    Returns:
        The draws, [n, J], in 0..1.

    Source: Maddison et al. (2017), arXiv 1611.00712, section 4 (binary concrete).
    """
    u = torch.rand_like(logits).clamp(MIN_DRAW, 1 - MIN_DRAW)
    return ((logits + u.logit()) / temperature).sigmoid()


def shortened(vectors: Tensor, max_length: float) -> Tensor:
    """Scale down vectors that are too long.

    Args:
        vectors: Vectors along the last axis.
        max_length: The largest length allowed.

    Returns:
        The vectors, of the same shape.

    >>> shortened(torch.tensor([3.0, 4.0]), 2.5).tolist()
    [1.5, 2.0]
    """
    length: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors * (max_length / length.clamp(min=max_length))
