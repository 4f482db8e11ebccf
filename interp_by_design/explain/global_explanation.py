"""Global explanations: which attributes stand for which classes, over a whole table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int

from interp_by_design.metrics import active_share
from interp_by_design.metrics.table_batches import row_slices
from interp_by_design.relevance import GlobalRelevance, global_relevance, local_relevance, relevant
from interp_by_design.terms import HeadWeights, InterpretationTable, UserError


@final
@dataclass(frozen=True, eq=False)
class GlobalExplanation:
    """Relevance and use of attributes over n images; classes are those that g decides.

    Args:
        relevance: r_{j,c}, [C, J] in [-1, 1]; zeros for a class that g decides on no image.
        counts: Images of each class, [C].
        active_share: Share of the images where each attribute is active, [J] in 0..1.
        mean_attributes: Mean of φ_j over each class, [C, J].
        n: Number of images.
    """

    relevance: Float[torch.Tensor, "classes attributes"]
    counts: Int[torch.Tensor, "classes"]
    active_share: Float[torch.Tensor, "attributes"]
    mean_attributes: HeadWeights
    n: int

    def pairs(self, tau: float | int) -> list[tuple[int, int]]:
        """Return `G = {(c, j) : r_{j,c} > 1/tau}` by class, the most relevant attribute first.

        Args:
            tau: Larger than 1.

        Raises:
            UserError: If tau is not larger than 1.
        """
        return GlobalRelevance(self.relevance, self.counts).pairs(tau)

    def classes_of(self, attribute: int, tau: float | int) -> list[int]:
        """Return the classes that an attribute speaks for, the most relevant first.

        Args:
            attribute: Its number.
            tau: Larger than 1.
        """
        return _above(self.relevance[:, attribute], tau)

    def attributes_of(self, class_: int, tau: float | int) -> list[int]:
        """Return the attributes that speak for a class, the most relevant first.

        Args:
            class_: The class.
            tau: Larger than 1.
        """
        return _above(self.relevance[class_], tau)

    def shared(self, tau: float | int) -> dict[int, list[int]]:
        """Return the attributes that speak for two classes or more, with those classes.

        Args:
            tau: Larger than 1.
        """
        classes = {j: self.classes_of(j, tau) for j in range(self.relevance.shape[1])}
        return {j: found for j, found in classes.items() if len(found) > 1}

    def without_attribute(self, tau: float | int) -> list[int]:
        """Return the classes that g decides on some image and that no attribute speaks for.

        Args:
            tau: Larger than 1.
        """
        none = ~relevant(self.relevance, tau).any(dim=1) & (self.counts > 0)
        return [int(c) for c in none.nonzero()[:, 0]]

    @property
    def undecided(self) -> list[int]:
        """The classes that g decides on no image."""
        return GlobalRelevance(self.relevance, self.counts).undecided


def explain_globally(table: InterpretationTable) -> GlobalExplanation:
    """Compute `r_{j,c} = (1/|S_c|) sum_{x in S_c} r_{j,x}`, `S_c = {x : argmax g(x) = c}`.

    Source: FLINT, section 3.3.

    Args:
        table: The table.

    Returns:
        Global relevance, and how much each attribute is used.

    Raises:
        UserError: If the table is empty.
    """
    if not len(table):
        raise UserError(
            "The interpretation table is empty: there is nothing to explain. Check the split that "
            "it was made from."
        )
    n_classes, n_attributes = table.head_weights.shape
    relevance = torch.zeros(n_classes, n_attributes, dtype=torch.float64)
    attributes, counts = torch.zeros_like(relevance), torch.zeros(n_classes, dtype=torch.int64)
    for rows in row_slices(len(table)):
        decided = table.interpreter[rows].argmax(dim=1)
        part = global_relevance(
            local_relevance(table.attributes[rows], table.head_weights, decided), decided, n_classes
        )
        relevance += part.relevance.double() * part.counts[:, None]
        attributes.index_add_(0, decided, table.attributes[rows].double())
        counts += part.counts
    sizes = counts.clamp(min=1)[:, None]
    means = (relevance / sizes).float(), (attributes / sizes).float()
    return GlobalExplanation(means[0], counts, active_share(table).float(), means[1], len(table))


def _above(relevance: Float[torch.Tensor, "any"], tau: float | int) -> list[int]:
    """Return the places with `r > 1/tau`, the largest first, of equals the lower."""
    order = relevance.argsort(descending=True, stable=True)
    return [int(place) for place in order[relevant(relevance, tau)[order]]]
