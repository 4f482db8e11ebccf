"""Mean image of each class: the best reconstruction from the class alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.terms import Batch, BatchWithActivations, Images, Labels, UserError


@final
@dataclass(frozen=True)
class ClassMeans:
    """Mean images of the classes that occur, and the mean of all images.

    Memory grows with the classes that occur, not with all classes: a network may have a thousand.

    Args:
        images: The mean images of the k - 1 classes that occur, then the overall mean,
            [k, c, h, w] in [0, 1].
        rows: The row of `images` for each class, [C].
    """

    images: Float[Tensor, "k c h w"]
    rows: Int[Tensor, "classes"]

    def images_of(self, classes: Labels) -> Images:
        """Return the mean image of each of `classes`.

        Args:
            classes: Class indices, [n].

        Returns:
            Images [n, c, h, w]; the overall mean for a class without any image.
        """
        return self.images[self.rows[classes]]

    def to(self, device: torch.device) -> ClassMeans:
        """Return a copy on another device.

        Args:
            device: The device of the copy.
        """
        return ClassMeans(self.images.to(device), self.rows.to(device))


def class_mean_images(
    batches: Iterable[Batch | BatchWithActivations], n_classes: int
) -> ClassMeans:
    """Compute the mean image of each class by label.

    Args:
        batches: Batches of images in [0, 1], with labels.
        n_classes: The number of classes C.

    Returns:
        The means, on the CPU.

    Raises:
        UserError: If there is no batch.
    """
    totals: dict[int, Tensor] = {}
    counts = torch.zeros(n_classes)
    for given in batches:
        images, labels, _ = given.batch if isinstance(given, BatchWithActivations) else given
        present = torch.unique(labels)
        one_hot = (labels[:, None] == present).to(images.dtype)
        sums = torch.einsum("nk,nchw->kchw", one_hot, images).double()
        counts[present] += one_hot.sum(dim=0)
        for label, total in zip(present.tolist(), sums, strict=True):
            totals[label] = totals[label] + total if label in totals else total.clone()
    if not totals:
        raise UserError("There is no batch to compute class means from: this split holds no image.")
    occurring = sorted(totals)
    rows = torch.full((n_classes,), len(occurring))
    rows[occurring] = torch.arange(len(occurring))
    total = torch.stack([totals.pop(label) for label in occurring])
    overall = total.sum(dim=0) / counts.sum()
    means = total.div_(counts[occurring].view(-1, 1, 1, 1))
    return ClassMeans(torch.cat([means.float(), overall.float()[None]]), rows)
