"""Global relevance: mean relevance of each attribute to each class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.relevance.per_image import relevant, require_classes
from interp_by_design.terms import Attributes, Indices


@dataclass(frozen=True, eq=False)
class GlobalRelevance:
    """Relevance of each attribute to each class, over the images that are decided as the class.

    A class that was never decided has a count of 0 and a row of zeros.

    Args:
        relevance: The mean local relevance, [C, J] in [-1, 1].
        counts: The number of images that each row is the mean of, [C].
    """

    relevance: Float[Tensor, "classes attributes"]
    counts: Int[Tensor, "classes"]

    def pairs(self, tau: float | int) -> list[tuple[int, int]]:
        """Return `G = {(c, j) : r_{j,c} > 1/tau}`.

        Args:
            tau: The threshold is 1/tau; larger than 1.

        Returns:
            Pairs of class and attribute by class, the most relevant attribute of a class first.

        Raises:
            UserError: tau is not larger than 1.

        >>> relevance = torch.tensor([[0.9, 1.0, 0.2]])
        >>> GlobalRelevance(relevance, torch.tensor([7])).pairs(tau=2)
        [(0, 1), (0, 0)]
        """
        chosen = relevant(self.relevance, tau)
        order = self.relevance.argsort(dim=1, descending=True, stable=True)
        return [(c, int(j)) for c, row in enumerate(order) for j in row[chosen[c, row]]]

    @property
    def undecided(self) -> list[int]:
        """The classes that no image was decided as."""
        return [int(c) for c in (self.counts == 0).nonzero()[:, 0]]


def global_relevance(relevance: Attributes, classes: Indices, n_classes: int) -> GlobalRelevance:
    """Compute `r_{j,c} = (1/|S_c|) sum_{x in S_c} r_{j,x}` with `S_c = {x : c(x) = c}`.

    Args:
        relevance: Local relevance, [n, J].
        classes: The class that each row was computed for, [n].
        n_classes: The number of classes C.

    Returns:
        The mean relevance and the number of images of each class.

    Raises:
        UserError: A class is outside 0 .. n_classes - 1.

    Source: FLINT, section 3.3; departs in that an empty S_c gives zeros and a count of 0, where the
    official code gives NaN.

    >>> found = global_relevance(torch.tensor([[1.0, 0.0], [0.5, 1.0]]), torch.tensor([0, 0]), 2)
    >>> found.relevance.tolist(), found.undecided
    ([[0.75, 0.5], [0.0, 0.0]], [1])
    """
    require_classes(classes, n_classes)
    sums = torch.zeros(
        n_classes, relevance.shape[1], dtype=relevance.dtype, device=relevance.device
    )
    sums.index_add_(0, classes.long(), relevance)
    counts = torch.bincount(classes.long(), minlength=n_classes)
    return GlobalRelevance(relevance=sums / counts.clamp(min=1)[:, None], counts=counts)
