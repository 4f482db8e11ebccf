"""Data sets made of any map-style data set in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Unpack, final

import numpy as np
import torch
from torch import Tensor

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.data.split import DataSplits, Split, count_held_out, hold_out
from interp_by_design.terms import Indices, Normalisation, UserError

N_PROBED = 8  # first items, which show what kind the others are
MAX_ROUNDING = 1e-4  # in units of 1 (white): error of normalising and inverting again


@final
@dataclass(frozen=True, eq=False)
class InMemorySplit(Split):
    """Some items of a map-style data set, read on demand.

    Args:
        items: the data set.
        rows: [n], the items' indices.
        labels: [n], int64.
        undo: the normalisation that the items have been through, which is inverted.
        as_bytes: whether floats are multiples of 1/255, to be kept as uint8.
    """

    items: Any
    rows: Indices
    labels: Tensor
    undo: Normalisation
    as_bytes: bool

    @property
    def image_shape(self) -> tuple[int, int, int]:
        channels, height, width = _item(self.items, int(self.rows[0]))[0].shape
        return channels, height, width

    def pixels(self, indices: Indices) -> Tensor:
        pixels = [self._pixels(int(self.rows[i])) for i in indices.tolist()]
        if len(shapes := {tuple(image.shape) for image in pixels}) > 1:
            raise UserError(
                f"Images have shapes such as {sorted(shapes)[:2]}. "
                "Bring all to one, in a transform."
            )
        return torch.stack(pixels)

    def take(self, rows: Indices) -> InMemorySplit:
        return InMemorySplit(
            self.items, self.rows[rows], self.labels[rows], self.undo, self.as_bytes
        )

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of pixels and labels; every item is read."""
        digest = hashlib.sha256(repr((self.undo, self.as_bytes)).encode())
        for i in range(len(self)):
            digest.update(self._pixels(int(self.rows[i])).contiguous().numpy().data)
        digest.update(self.labels.numpy().data)
        return digest.hexdigest()

    def _pixels(self, row: int) -> Tensor:
        return _kept(_item(self.items, row)[0], self.undo, self.as_bytes, row)


@final
class InMemoryData(ImageData):
    """A map-style data set such as torchvision's: `len(items)`, and `items[i]` is `(image, label)`.

    Args:
        items: the data set. Images are PIL images, uint8 arrays or tensors, or floats; tensors are
            [c, h, w], all of one shape.
        class_names: the name of each class.
        normalisation: what the model applies to images in [0, 1] first.
        normalised: whether the items have been through `normalisation`; it is inverted, since the
            model receives images in [0, 1] and normalises them itself.
        test: the items to hold out for testing: a count, or a fraction below 1.
        loading: the options of all data sets, see `ImageData`.

    Raises:
        UserError: at `setup`, for items of another kind, pixels out of range, and labels that are
            no class.
    """

    def __init__(
        self,
        items: Any,
        class_names: Sequence[str],
        normalisation: Normalisation | None = None,
        normalised: bool = False,
        test: int | float = 0.1,
        **loading: Unpack[Loading],
    ) -> None:
        super().__init__(**loading)
        self.items, self.class_names, self.test = items, tuple(class_names), test
        self.normalisation = normalisation or Normalisation()
        self.undo = self.normalisation if normalised else Normalisation()

    def read(self) -> DataSplits:
        n = _length(self.items)
        as_bytes = all(
            _is_bytes(_item(self.items, i)[0], self.undo) for i in range(min(n, N_PROBED))
        )
        labels = _labels(self.items, n)
        if len(wrong := labels[(labels < 0) | (labels >= len(self.class_names))]):
            raise UserError(
                f"There is a label {int(wrong[0])}, and the network has the classes 0 to "
                f"{len(self.class_names) - 1}."
            )
        given = InMemorySplit(self.items, torch.arange(n), labels, self.undo, as_bytes)
        given.pixels(torch.arange(min(n, N_PROBED)))  # raises where they leave [0, 1]
        kept, held = hold_out(labels, count_held_out(self.test, n, "test"))
        return DataSplits(given.take(kept), given.take(held), self.class_names, self.normalisation)


def first_image(items: Any) -> Tensor:
    """Return the first item's image.

    Args:
        items: a map-style data set.

    Returns:
        The image [c, h, w], as the data set holds it.

    Raises:
        UserError: if `items` is no data set of images and labels, or has fewer than ten.
    """
    if _length(items) < 10:
        raise UserError(
            f"{len(items)} images are too few to fit, validate and test an interpreter on; "
            "give 10 at least."
        )
    return _item(items, 0)[0]


def repeats(items: Any) -> bool:
    """Return whether reading the first items twice gives the same images.

    Args:
        items: a map-style data set.

    Returns:
        False if a transform draws at random.
    """
    return all(
        torch.equal(_item(items, i)[0], _item(items, i)[0])
        for i in range(min(_length(items), N_PROBED))
    )


def declared_normalisation(items: Any) -> Normalisation | None:
    """Find the `Normalize` among a torchvision data set's transforms, also below `Subset`s.

    Args:
        items: a map-style data set.

    Returns:
        Its mean and deviation; None if there is none.
    """
    while hasattr(items, "dataset"):
        items = items.dataset
    steps = [getattr(items, "transform", None)]
    while steps:
        step = steps.pop()
        steps += list(getattr(step, "transforms", None) or [])
        mean, std = getattr(step, "mean", None), getattr(step, "std", None)
        if isinstance(mean, list | tuple | Tensor) and isinstance(std, list | tuple | Tensor):
            return Normalisation(tuple(map(float, mean)), tuple(map(float, std)))
    return None


def _length(items: Any) -> int:
    try:
        return len(items)
    except TypeError as error:
        raise UserError(
            f"{type(items).__name__} has no length. Give a data set with `len(data)` and "
            "`data[i]`, which is (image, label); a "
            "stream can be put in a list."
        ) from error


def _item(items: Any, i: int) -> tuple[Tensor, Any]:
    item = items[i]
    if isinstance(item, dict):
        raise UserError(
            f"Item {i} is a dict with the keys {', '.join(map(str, item))}; wanted (image, label). "
            "Wrap the data set in a class "
            "with __len__, and a __getitem__ that returns the two."
        )
    if not isinstance(item, list | tuple) or len(item) < 2:
        raise UserError(f"Item {i} is a {type(item).__name__}; wanted (image, label).")
    image, label = item[0], item[1]
    if not isinstance(image, Tensor):
        array = np.asarray(image)
        if array.ndim not in (2, 3) or array.dtype == object:
            raise UserError(
                f"The image of item {i} is a {type(image).__name__}; "
                "wanted a PIL image, an array or a tensor."
            )
        image = torch.from_numpy(array.copy())
        image = image[None] if image.ndim == 2 else image.permute(2, 0, 1)  # as PIL has them
    if image.ndim != 3:
        raise UserError(
            f"The image of item {i} has shape {tuple(image.shape)}; "
            "wanted [channels, height, width]."
        )
    return image.detach().cpu(), label


def _labels(items: Any, n: int) -> Tensor:
    """The labels of all items: the data set's `targets` if it has them, to avoid reading images."""
    targets = getattr(items, "targets", None)
    values = (
        targets
        if targets is not None and len(targets) == n
        else [_item(items, i)[1] for i in range(n)]
    )
    try:
        return torch.tensor([int(value) for value in values])
    except (TypeError, ValueError) as error:
        raise UserError(f"Labels must be whole numbers, the index of a class; {error}.") from error


def _is_bytes(image: Tensor, undo: Normalisation) -> bool:
    if image.dtype == torch.uint8:
        return True
    levels = undo.invert(image.float()[None]) * 255
    return bool((levels - levels.round()).abs().max() <= MAX_ROUNDING * 255)


def _kept(image: Tensor, undo: Normalisation, as_bytes: bool, row: int) -> Tensor:
    """The pixels as uint8, or as floats in [0, 1]; a UserError for any others."""
    if image.dtype == torch.uint8:
        return image if as_bytes else image / 255
    if not image.dtype.is_floating_point:
        raise UserError(
            f"The image of item {row} is {image.dtype}; wanted uint8 in 0..255, or floats in [0, "
            "1]."
        )
    unit = undo.invert(image.float()[None])[0]
    low, high = (float(value) for value in unit.aminmax())
    if not (low >= -MAX_ROUNDING and high <= 1 + MAX_ROUNDING):
        raise UserError(
            f"The image of item {row} runs from {low:g} to {high:g}; wanted [0, 1]. "
            "If the data set normalises, say by what: "
            "normalisation=Normalisation(mean, std) with the numbers of its transform, or leave "
            "that step out of it."
        )
    unit = unit.clamp(0, 1)
    return (unit * 255).round().to(torch.uint8) if as_bytes else unit
