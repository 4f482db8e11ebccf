"""Validation of data sets before training."""

from __future__ import annotations

import torch
from torch import Tensor

from interp_by_design.data.split import DataSplits, Split, TensorSplit
from interp_by_design.terms import UserError


def check(reading: DataSplits) -> None:
    """Check that pixels, labels, class names and the shapes of the splits fit together.

    Args:
        reading: the data set as read.

    Raises:
        UserError: if they do not; the message names the split and the first image at fault.
    """
    names = reading.class_names
    if len(names) < 2 or len(set(names)) != len(names):
        raise UserError(
            f"The class names {list(names)} cannot name classes. Give at least two, all different."
        )
    for where, split in (("train", reading.train), ("val", reading.val), ("test", reading.test)):
        if split is not None:
            check_split(split, where, len(names))
    train, test = reading.train.image_shape, reading.test.image_shape
    if train != test:
        raise UserError(
            f"Train images are {train} and test images {test}. "
            "Bring both to one (channels, height, width)."
        )


def check_split(split: Split, where: str, n_classes: int) -> None:
    """Check the labels of a split, and its pixels if they are in memory.

    Args:
        split: the images and labels.
        where: what messages call the split, such as "train".
        n_classes: the number of classes.

    Raises:
        UserError: unless every image has a label in 0 .. n_classes-1 and finite pixels in range.
    """
    if isinstance(split, TensorSplit):
        _check_pixels(split.images, where)
        _check_one_each(split, where)
    _check_labels(split.labels, where, n_classes)


def _check_pixels(images: Tensor, where: str) -> None:
    if images.ndim != 4 or 0 in images.shape:
        raise UserError(
            f"The {where} images have shape {tuple(images.shape)}; "
            "wanted (n, channels, height, width), none of them 0. "
            "Gray images want a channel: images[:, None]."
        )
    if images.dtype == torch.uint8:
        return
    if not images.dtype.is_floating_point:
        raise UserError(
            f"The {where} images are {images.dtype}; wanted uint8 in 0..255 or floats in [0, 1]. "
            "Convert them."
        )
    # A comparison with NaN is false, so this finds it too.
    wrong = ~((images >= 0) & (images <= 1)).flatten(1).all(dim=1)
    if wrong.any():
        first = int(wrong.nonzero()[0])
        low, high = (float(x) for x in images[first].aminmax())
        raise UserError(
            f"{int(wrong.sum())} {where} images leave [0, 1]; "
            f"the first, image {first}, runs from {low:g} to {high:g}. "
            "Scale them to [0, 1] (normalisation is the model's work), or give uint8 in 0..255."
        )


def _check_one_each(split: TensorSplit, where: str) -> None:
    labels, n = split.labels, split.images.shape[0]
    if labels.ndim == 1 and len(labels) != n:
        raise UserError(
            f"There are {n} {where} images and {len(labels)} labels. Give one label an image."
        )
    if labels.dtype != torch.int64 or labels.ndim != 1:
        raise UserError(
            f"The {where} labels are {labels.dtype} of shape {tuple(labels.shape)}; "
            f"wanted int64 of shape ({n},), one an image. "
            "Convert with labels.long(), or take the argmax of one-hot labels."
        )


def _check_labels(labels: Tensor, where: str, n_classes: int) -> None:
    wrong = ((labels < 0) | (labels >= n_classes)).nonzero().squeeze(1)
    if len(wrong):
        first = int(wrong[0])
        raise UserError(
            f"{len(wrong)} {where} labels are outside 0..{n_classes - 1}; "
            f"the first, of image {first}, is {int(labels[first])}. "
            "Number the classes from 0, and give a name for each."
        )
