"""Maximum activating samples (FLINT's MAS), overall and within each class.

Streams over a table or batches, in any order and in several processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.metrics.table_batches import row_slices
from interp_by_design.relevance import require_classes
from interp_by_design.terms import (
    Attributes,
    Indices,
    InterpretationTable,
    UnknownName,
    UserError,
    check_whole,
)

NONE = -1  # the index where there is no further sample

Largest = tuple[Tensor, Tensor]  # values and image indices, [..., l], the largest first


@final
@dataclass(frozen=True, eq=False)
class TopSamples:
    """The l images on which each attribute is largest, best first; φ_j > 0 on each of them.

    Args:
        values: φ_j there, [J, l].
        indices: Their indices, [J, l]; -1 where there are fewer.
        class_values: The same within each class, [C, J, l].
        class_indices: The same within each class, [C, J, l].
    """

    values: Float[Tensor, "attributes l"]
    indices: Int[Tensor, "attributes l"]
    class_values: Float[Tensor, "classes attributes l"]
    class_indices: Int[Tensor, "classes attributes l"]

    def of(self, attribute: int, class_: int | None = None) -> list[int]:
        """Return the image indices of an attribute, best first.

        Args:
            attribute: Its number.
            class_: Only images of this class; None for all.
        """
        found = self.indices[attribute] if class_ is None else self.class_indices[class_, attribute]
        return [int(index) for index in found if index != NONE]


@final
class MaximumActivating:
    """Accumulator of the largest samples of each attribute, overall and within each class.

    Of equal values the lower image index comes first, so that the result depends neither on the
    order of batches nor on how they were distributed. An image that comes twice, as the padding of
    several processes does, counts once. Memory: C x J x length.

    Args:
        n_attributes: J.
        n_classes: C.
        length: Samples of each attribute.

    Raises:
        UserError: If `length` is not a positive whole number.
    """

    def __init__(self, n_attributes: int, n_classes: int, length: int = 9) -> None:
        check_whole("length", length, minimum=1)
        self._overall = _nothing(n_attributes, length)
        self._within = _nothing(n_classes, n_attributes, length)

    def update(self, attributes: Attributes, classes: Indices, indices: Indices) -> None:
        """Add some images.

        Args:
            attributes: Φ, [n, J].
            classes: The class of each image, [n].
            indices: The index of each image, [n].

        Raises:
            UserError: If there is no such class.
        """
        n_classes, _, length = self._within[0].shape
        require_classes(classes, n_classes)
        if not len(classes):
            return
        # Images by index, each once, and zeros for what is never kept: then a stable sort by value
        # leaves ties as they should be.
        indices, order = indices.cpu().long().sort(stable=True)
        once = torch.ones_like(indices, dtype=torch.bool)
        once[1:] = indices[1:] != indices[:-1]
        indices, order = indices[once], order[once]
        attributes = attributes.detach().cpu().float()[order]
        values, places = attributes.where(attributes > 0, 0).T.sort(
            dim=1, descending=True, stable=True
        )
        found = indices[places].where(values > 0, NONE)
        self._overall = _merged(self._overall, (values[:, :length], found[:, :length]))
        self._update_within(values, found, classes.cpu().long()[order][places])

    def _update_within(self, values: Tensor, found: Tensor, classes: Tensor) -> None:
        """Update the samples within classes from [J, n] arrays, sorted by value.

        A stable sort by class leaves the values of a class in that order, and a class in the same
        places for every attribute.
        """
        n_classes, n_attributes, length = self._within[0].shape
        sorted_classes, order = classes.sort(dim=1, stable=True)
        of_place, counts = sorted_classes[0], torch.bincount(sorted_classes[0], minlength=n_classes)
        rank = torch.arange(len(of_place)) - (counts.cumsum(dim=0) - counts)[of_place]
        kept, present = (rank < length).nonzero()[:, 0], (counts > 0).nonzero()[:, 0]
        row = ((counts > 0).cumsum(dim=0) - 1)[of_place[kept]]  # of the classes present
        top = _nothing(len(present), n_attributes, length)
        for into, source in zip(top, (values, found), strict=True):
            into[row, :, rank[kept]] = source.gather(1, order[:, kept]).T
        merged = _merged((self._within[0][present], self._within[1][present]), top)
        within = (
            whole.index_copy(0, present, part)
            for whole, part in zip(self._within, merged, strict=True)
        )
        self._within = next(within), next(within)

    def merge(self, other: MaximumActivating) -> None:
        """Add the samples of another accumulator, of other images or of the same.

        Args:
            other: Of the same shape.

        Raises:
            UserError: If it has another shape.
        """
        if other._within[0].shape != self._within[0].shape:
            mine, theirs = (tuple(one._within[0].shape) for one in (self, other))
            raise UserError(
                f"Top samples of classes, attributes and length {theirs} cannot be merged into "
                f"those of {mine}."
            )
        self._overall = _merged(self._overall, other._overall)
        self._within = _merged(self._within, other._within)

    def top(self) -> TopSamples:
        """Return the samples so far."""
        return TopSamples(*self._overall, *self._within)


def maximum_activating(
    table: InterpretationTable, length: int = 9, by: str = "label"
) -> TopSamples:
    """Return the top samples of a table. Source: FLINT's `MAS(c, phi_j, l)`, by label.

    Args:
        table: The table.
        length: Samples of each attribute.
        by: The class of an image: `label`, or what `predictor` or `interpreter` decides.

    Returns:
        The samples.

    Raises:
        UnknownName: For another `by`.
    """
    classes = {
        "label": lambda rows: table.labels[rows],
        "predictor": lambda rows: table.predictor[rows].argmax(dim=1),
        "interpreter": lambda rows: table.interpreter[rows].argmax(dim=1),
    }
    if by not in classes:
        raise UnknownName.among("class", by, classes)
    n_classes, n_attributes = table.head_weights.shape
    kept = MaximumActivating(n_attributes, n_classes, length)
    for rows in row_slices(len(table)):
        kept.update(table.attributes[rows], classes[by](rows), table.indices[rows])
    return kept.top()


def _nothing(*shape: int) -> Largest:
    return torch.zeros(shape), torch.full(shape, NONE)


def _merged(one: Largest, other: Largest) -> Largest:
    """Merge two: an image counts once, with its larger value."""
    length = one[0].shape[-1]
    values, order = torch.cat([one[0], other[0]], dim=-1).sort(dim=-1, descending=True, stable=True)
    found, by_index = (
        torch.cat([one[1], other[1]], dim=-1).gather(-1, order).sort(dim=-1, stable=True)
    )
    values, again = values.gather(-1, by_index), torch.zeros_like(found, dtype=torch.bool)
    again[..., 1:] = found[..., 1:] == found[..., :-1]
    values, order = values.where(~again, 0).sort(dim=-1, descending=True, stable=True)
    found = found.where(~again, NONE).gather(-1, order)
    return values[..., :length].clone(), found[..., :length].clone()
