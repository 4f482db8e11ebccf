"""The mean image of each class: what can be drawn knowing the answer alone. Knows nothing of models."""

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
    """The mean images of the classes that occur, and behind them the mean of all images; `rows` says where a class has its own.

    Memory grows with the classes that occur, not with those that there are: a network may know a thousand.
    """

    images: Float[Tensor, "k c h w"]
    rows: Int[Tensor, "classes"]

    def images_of(self, classes: Labels) -> Images:
        """The mean image of each of `classes`; the mean of all images for one without any."""
        return self.images[self.rows[classes]]

    def to(self, device: torch.device) -> ClassMeans:
        """The same on `device`."""
        return ClassMeans(self.images.to(device), self.rows.to(device))


def class_mean_images(
    batches: Iterable[Batch | BatchWithActivations], n_classes: int
) -> ClassMeans:
    """The mean image of each class by label, in [0, 1]. Raises `UserError` where there is no batch."""
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
        raise UserError("There is no batch to take class means of: this split holds no image.")
    occurring = sorted(totals)
    rows = torch.full((n_classes,), len(occurring))
    rows[occurring] = torch.arange(len(occurring))
    total = torch.stack([totals.pop(label) for label in occurring])
    overall = total.sum(dim=0) / counts.sum()
    means = total.div_(counts[occurring].view(-1, 1, 1, 1))
    return ClassMeans(torch.cat([means.float(), overall.float()[None]]), rows)
