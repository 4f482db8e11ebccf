"""Global relevance: how much each attribute speaks for a class, over all images decided as that class.

The underscore only keeps clear of Python's keyword. Does not know which images they were; takes the local relevances as given.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.relevance.local_relevances import relevant, require_classes
from interp_by_design.terms import Attributes, Indices


@dataclass(frozen=True, eq=False)
class GlobalRelevance:
    """`relevance` [C, J] in [-1, 1], and `counts` [C]: the number of images each row is the mean of.

    A class that was never decided has a count of 0 and a row of zeros: no pair, and no NaN to trip over.
    """

    relevance: Float[Tensor, "classes attributes"]
    counts: Int[Tensor, "classes"]

    def pairs(self, tau: float | int) -> list[tuple[int, int]]:
        """`G = {(c, j) : r_{j,c} > 1/tau}` by class, the most relevant attribute of a class first. UserError unless tau > 1."""
        chosen = relevant(self.relevance, tau)
        order = self.relevance.argsort(dim=1, descending=True, stable=True)
        return [(c, int(j)) for c, row in enumerate(order) for j in row[chosen[c, row]]]

    @property
    def undecided(self) -> list[int]:
        """Classes that no image was decided as: nothing is known of them."""
        return [int(c) for c in (self.counts == 0).nonzero()[:, 0]]


def global_relevance(relevance: Attributes, classes: Indices, n_classes: int) -> GlobalRelevance:
    """`r_{j,c} = (1/|S_c|) sum_{x in S_c} r_{j,x}` with `S_c = {x : c(x) = c}`.

    `relevance` [n, J] is local relevance and `classes` [n] the class it was taken for. Raises UserError for a class outside
    0 .. n_classes - 1. Source: FLINT, section 3.3; departs in that an empty S_c gives zeros and a count of 0, where the official
    code gives NaN.
    """
    require_classes(classes, n_classes)
    sums = torch.zeros(
        n_classes, relevance.shape[1], dtype=relevance.dtype, device=relevance.device
    )
    sums.index_add_(0, classes.long(), relevance)
    counts = torch.bincount(classes.long(), minlength=n_classes)
    return GlobalRelevance(relevance=sums / counts.clamp(min=1)[:, None], counts=counts)
