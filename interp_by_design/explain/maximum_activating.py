"""Maximum activating samples (FLINT's MAS): the images on which an attribute is largest, overall and within each class.

Streams: a table, or batches one after another, in any order and in several processes. Knows nothing of the images themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.relevance import require_classes
from interp_by_design.terms import Attributes, Indices, InterpretationTable, UnknownName, UserError

ROWS = 4096  # of a table, at once
NONE = -1  # the index where there is no further sample

Largest = tuple[Tensor, Tensor]  # values and image indices, [..., l], the largest first


@final
@dataclass(frozen=True, eq=False)
class TopSamples:
    """The l images on which each attribute is largest, best first: values of φ_j and image indices, -1 where there are fewer.

    `class_values` and `class_indices` hold the same within each class. An image where φ_j is 0 is never among them.
    """

    values: Float[Tensor, "attributes l"]
    indices: Int[Tensor, "attributes l"]
    class_values: Float[Tensor, "classes attributes l"]
    class_indices: Int[Tensor, "classes attributes l"]

    def of(self, attribute: int, class_: int | None = None) -> list[int]:
        """The image indices of an attribute, or of an attribute within a class, best first."""
        found = self.indices[attribute] if class_ is None else self.class_indices[class_, attribute]
        return [int(index) for index in found if index != NONE]


@final
class MaximumActivating:
    """Keeps the `length` largest samples of each attribute, and of each attribute within each class, while batches go by.

    Of equal values the lower image index comes first, so that the result depends neither on the order of batches nor on how they
    were shared out. An image that comes twice, as the padding of several processes does, counts once. Memory: C x J x length.
    """

    def __init__(self, n_attributes: int, n_classes: int, length: int = 9) -> None:
        if length < 1:
            raise UserError(f"length is how many samples are kept of each attribute, at least 1, not {length}.")
        self._overall = _nothing(n_attributes, length)
        self._within = _nothing(n_classes, n_attributes, length)

    def update(self, attributes: Attributes, classes: Indices, indices: Indices) -> None:
        """Some images: Φ [n, J], the class [n] of each, and its index [n]. Raises `UserError` for a class that there is not."""
        n_classes, _, length = self._within[0].shape
        require_classes(classes, n_classes)
        attributes, classes, indices = attributes.detach().cpu().float(), classes.cpu().long(), indices.cpu().long()
        self._overall = _merged(self._overall, _largest(attributes, indices, length))
        values, found = (part.clone() for part in self._within)
        for c in torch.unique(classes).tolist():
            rows = classes == c
            kept = _merged((values[c], found[c]), _largest(attributes[rows], indices[rows], length))
            values[c], found[c] = kept
        self._within = values, found

    def merge(self, other: MaximumActivating) -> None:
        """What another one has kept, of other images or of the same. Raises `UserError` for one of another shape."""
        if other._within[0].shape != self._within[0].shape:
            mine, theirs = (tuple(one._within[0].shape) for one in (self, other))
            raise UserError(f"Top samples of classes, attributes and length {theirs} cannot be merged into those of {mine}.")
        self._overall = _merged(self._overall, other._overall)
        self._within = _merged(self._within, other._within)

    def top(self) -> TopSamples:
        """What is kept up to now."""
        return TopSamples(*self._overall, *self._within)


def maximum_activating(
    table: InterpretationTable, length: int = 9, by: Literal["label", "predictor", "interpreter"] = "label"
) -> TopSamples:
    """The top samples of a table. `by` says what the class of an image is: its label, or what f or g decides.

    Source: FLINT's `MAS(c, phi_j, l)`, where the class is the label.
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
    for rows in (slice(start, start + ROWS) for start in range(0, len(table), ROWS)):
        kept.update(table.attributes[rows], classes[by](rows), table.indices[rows])
    return kept.top()


def _nothing(*shape: int) -> Largest:
    return torch.zeros(shape), torch.full(shape, NONE)


def _largest(attributes: Attributes, indices: Indices, length: int) -> Largest:
    """The largest of a batch: sorted by index first, so that a stable sort by value leaves ties in that order."""
    order = indices.argsort(stable=True)
    values, places = attributes[order].T.sort(dim=1, descending=True, stable=True)
    values, found = values[:, :length], indices[order][places[:, :length]]
    return _padded(values.where(values > 0, 0), found.where(values > 0, NONE), length)


def _merged(one: Largest, other: Largest) -> Largest:
    length = one[0].shape[-1]
    values, found = (torch.cat(parts, dim=-1) for parts in zip(one, other, strict=True))
    order = found.argsort(dim=-1, stable=True)
    values, found = values.gather(-1, order), found.gather(-1, order)
    repeated = torch.zeros_like(found, dtype=torch.bool)
    repeated[..., 1:] = found[..., 1:] == found[..., :-1]
    values, found = values.where(~repeated, 0), found.where(~repeated, NONE)
    values, order = values.sort(dim=-1, descending=True, stable=True)
    return values[..., :length], found.gather(-1, order)[..., :length]


def _padded(values: Tensor, found: Tensor, length: int) -> Largest:
    short = length - values.shape[1]
    if short <= 0:
        return values, found
    rows = values.shape[0]
    return torch.cat([values, values.new_zeros(rows, short)], dim=1), torch.cat(
        [found, found.new_full((rows, short), NONE)], dim=1
    )
