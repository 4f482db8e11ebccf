"""A fixed validation subset, evaluated again at each interval of the training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, cast, final

import torch
from torch import Tensor

from interp_by_design.activations import interpretation_table
from interp_by_design.data.loader import Loader
from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.data.split import Split
from interp_by_design.model import InterpretableModel
from interp_by_design.statistics import evenly_spaced
from interp_by_design.terms import (
    Batch,
    BatchWithActivations,
    ForwardPass,
    Indices,
    InterpretationTable,
    UserError,
)

MAX_VALUES = 2**24  # values of images and hidden layers in memory, 64 MiB of floats
MIN_IMAGES = 16  # of any size


@final
@dataclass(frozen=True, eq=False)
class ProbeSet:
    """Validation images, evenly spread over the split.

    Args:
        batches: The images, in batches for one forward pass each; with f's activations if these
            are cached.
    """

    batches: tuple[Batch | BatchWithActivations, ...]

    @classmethod
    def from_data(cls, datamodule: Any, n: int) -> ProbeSet:
        """Select images of `datamodule.in_order("val")`.

        Args:
            datamodule: The data of the trainer.
            n: Number of images; fewer where images are large or the split is small.

        Returns:
            The probe set.

        Raises:
            UserError: The data has no validation split in order, or no image.
        """
        if not callable(in_order := getattr(datamodule, "in_order", None)):
            found = type(datamodule).__name__
            raise UserError(
                f"The trainer's data is a {found}. Give a data set of this package, for its "
                "validation images."
            )
        batches = tuple(_selected(in_order("val"), n))
        if not batches:
            raise UserError("There is no validation image to show.")
        return cls(batches)

    @property
    def images(self) -> Tensor:
        """All images, [n, c, h, w] in [0, 1]."""
        return torch.cat([_batch(given).images for given in self.batches])

    def table(self, model: InterpretableModel) -> InterpretationTable:
        """Return the table of the images, in single precision, without reconstruction errors.

        Args:
            model: The model; its modes are restored.
        """
        batches = _in_precision(self.batches, model.interpreter.head.weights.dtype)
        return _single_precision(interpretation_table(model, batches, reconstruct=False))

    def split(self) -> ProbeSplit:
        """Return the images as a split with the indices of the validation split.

        Returns:
            A split that holds these images alone.
        """
        return ProbeSplit(
            self.images, *(torch.cat([_batch(given)[i] for given in self.batches]) for i in (1, 2))
        )


@final
class ProbeSplit(Split):
    """Some images of a split, under the indices of that split.

    Args:
        images: [n, c, h, w] in [0, 1].
        labels: [n].
        indices: Index of each image in the whole split, [n].
    """

    def __init__(self, images: Tensor, labels: Tensor, indices: Indices) -> None:
        self._images, self._indices = images, indices
        self._place = torch.full((int(indices.max()) + 1,), -1).index_put(
            (indices,), torch.arange(len(indices))
        )
        self.labels = torch.full_like(self._place, -1).index_put((indices,), labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        _, channels, height, width = self._images.shape
        return channels, height, width

    def pixels(self, indices: Indices) -> Tensor:
        return self._images[self._places(indices)]

    def take(self, rows: Indices) -> ProbeSplit:
        places = self._places(rows)
        return ProbeSplit(self._images[places], self.labels[rows], torch.arange(len(rows)))

    def fingerprint(self) -> str:
        """Return nothing: the whole split has a fingerprint.

        Returns:
            An empty text.
        """
        return ""

    def _places(self, indices: Indices) -> Tensor:
        places = self._place[indices]
        if (places < 0).any():
            raise UserError("An image was requested that is not in the probe set.")
        return places


def one_of_each(labels: Tensor, n: int) -> list[int]:
    """Return rows: the first of each class, then the second of each class, and so on.

    Args:
        labels: Label of each row, [N].
        n: Number of rows.

    Returns:
        At most `n` row indices.

    >>> one_of_each(torch.tensor([0, 0, 0, 2, 1, 1]), 5)
    [0, 4, 3, 1, 5]
    """
    met: dict[int, int] = {}
    order = []
    for row, label in enumerate(labels.tolist()):
        met[label] = met.get(label, 0) + 1
        order.append((met[label], label, row))
    return [row for _, _, row in sorted(order)[:n]]


def _selected(
    loader: Iterable[Batch | BatchWithActivations], n: int
) -> Iterator[Batch | BatchWithActivations]:
    """Evenly spaced rows in batches for one pass; no other image is read where that is possible."""
    return _read(loader.batches.split, n) if isinstance(loader, Loader) else _filtered(loader, n)


def _read(split: Split, n: int) -> Iterator[Batch]:
    values = math.prod(split.image_shape)
    for rows in torch.split(_spaced(len(split), n, values), images_per_pass((values,))):
        yield split.batch(rows)


def _filtered(
    loader: Iterable[Batch | BatchWithActivations], n: int
) -> Iterator[Batch | BatchWithActivations]:
    first, rows = 0, torch.empty(0, dtype=torch.long)
    for given in loader:
        size, values = len(given.labels), _values(given)
        rows = rows if len(rows) else _spaced(cast("Any", loader).order.n, n, values)
        here = rows[(rows >= first) & (rows < first + size)] - first
        first += size
        for part in torch.split(here, images_per_pass((values,))) if len(here) else ():
            yield _taken(given, part)


def _spaced(there: int, wanted: int, values: int) -> Indices:
    return evenly_spaced(there, min(wanted, max(MIN_IMAGES, MAX_VALUES // values)))


def _values(given: Batch | BatchWithActivations) -> int:
    """Number of values of one image and its hidden layers."""
    layers = given.seen.hidden if isinstance(given, BatchWithActivations) else ()
    return sum(math.prod(part.shape[1:]) for part in (_batch(given).images, *layers))


def _taken(given: Batch | BatchWithActivations, rows: Indices) -> Batch | BatchWithActivations:
    """Copies of rows, because loaders reuse their memory."""
    batch = Batch(*(part[rows].clone() for part in _batch(given)))
    if not isinstance(given, BatchWithActivations):
        return batch
    return BatchWithActivations(
        batch,
        ForwardPass(
            given.seen.logits[rows].clone(),
            tuple(layer[rows].clone() for layer in given.seen.hidden),
        ),
    )


def _batch(given: Batch | BatchWithActivations) -> Batch:
    return given.batch if isinstance(given, BatchWithActivations) else given


def _in_precision(
    batches: Iterable[Batch | BatchWithActivations], dtype: torch.dtype
) -> Iterator[Batch | BatchWithActivations]:
    """The batches, with images in the precision of the network's weights."""
    for given in batches:
        batch = _batch(given)._replace(images=_batch(given).images.to(dtype))
        yield given._replace(batch=batch) if isinstance(given, BatchWithActivations) else batch


def _single_precision(table: InterpretationTable) -> InterpretationTable:
    columns = {field.name: getattr(table, field.name) for field in fields(table)}
    floats = {name: part.float() for name, part in columns.items() if part.is_floating_point()}
    return replace(table, **floats)
