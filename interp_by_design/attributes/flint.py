"""FLINT's published attribute dictionary, for one map or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, final

import torch
from torch import Tensor, nn

from interp_by_design.attributes.dictionary import AttributeDictionary, check_count
from interp_by_design.attributes.spatial_contributions import SpatialContributions
from interp_by_design.terms import Attributes, UserError


@final
class FlintDictionary(AttributeDictionary):
    """Ψ of FLINT: a 3x3 convolution a map, joined at the smallest size, pooled, one dense layer.

    One map (MNIST, FashionMNIST):    Conv(c, m) - LeakyReLU - pool 3x3 - FC(9m, J) - ReLU
    Several maps (CIFAR, QuickDraw):  Conv(c_i, m, stride to the smallest) - ReLU, joined
                                      - Conv(Tm, m) - ReLU - pool 3x3 - FC(9m, J) - ReLU

    Args:
        shapes: The shapes of the hidden layers, maps (c, h, w), without the batch axis.
        n_attributes: The number of attributes J.
        channels: The number m of maps of each convolution.
        pooled: The side of the grid before the dense layer.
        negative_slope: The slope of the last ReLU for negative inputs; 0, since the paper defines
            attributes as non-negative. The official code for one map has 0.01: attributes can be
            slightly negative, and far fewer die. Use it to reproduce the published numbers.

    Raises:
        UserError: A hidden layer is not a map, or no stride of a convolution gives the smallest
            size.

    Source: FLINT's official networks (`attr_MNIST`, `attr_RN18_multi`), m = 64.
    """

    def __init__(
        self,
        shapes: Sequence[torch.Size],
        n_attributes: int,
        channels: int = 64,
        pooled: int = 3,
        negative_slope: float = 0.0,
    ) -> None:
        super().__init__()
        self.n_attributes = check_count(n_attributes)
        if any(len(shape) != 3 for shape in shapes):
            raise UserError(
                "FLINT's dictionary reads maps [c, h, w]; these hidden layers have shapes "
                f"{[tuple(s) for s in shapes]}. "
                "Choose convolutional layers, or attributes=topk, which reads vectors too."
            )
        single = len(shapes) == 1
        smallest = min(shape[1] for shape in shapes)
        activation = nn.LeakyReLU if single else nn.ReLU
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(shape[0], channels, 3, stride=_stride(shape, smallest), padding=1),
                activation(),
            )
            for shape in shapes
        )
        self.join = (
            nn.Identity()
            if single
            else nn.Sequential(nn.Conv2d(len(shapes) * channels, channels, 3, padding=1), nn.ReLU())
        )
        self.weights = nn.Sequential(
            nn.AdaptiveAvgPool2d(pooled),
            nn.Flatten(),
            nn.Linear(channels * pooled**2, n_attributes),
            nn.LeakyReLU(negative_slope),
        )

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        attributes: Tensor = self.weights(self._joined(hidden))
        return attributes

    def spatial_contributions(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions:
        """Return the contributions of the last maps before the pooling.

        Their positions depend on neighbouring positions of the hidden layers.

        Args:
            hidden: The hidden layers of n samples.
            weights: The weight of each attribute in the sum, [n, J].

        Returns:
            The contributions.
        """
        maps = self._joined(hidden)
        pool, dense = self.weights[0], cast("nn.Linear", self.weights[2])
        # Pooling is linear: its adjoint is its gradient, for any windows.
        with torch.enable_grad():
            blank = torch.zeros_like(maps).requires_grad_()
            cells = (weights @ dense.weight).detach()
            grid = pool(blank)
            (shares,) = torch.autograd.grad(grid, blank, cells.view_as(grid))
        return SpatialContributions(
            ((shares * maps).sum(dim=1),), maps.new_zeros(len(maps), 0), weights @ dense.bias
        )

    def _joined(self, hidden: Sequence[Tensor]) -> Tensor:
        maps = [branch(layer) for branch, layer in zip(self.branches, hidden, strict=True)]
        joined: Tensor = self.join(torch.cat(maps, dim=1) if len(maps) > 1 else maps[0])
        return joined


def _stride(shape: torch.Size, smallest: int) -> int:
    stride = -(-shape[1] // smallest)
    if -(-shape[1] // stride) != smallest:  # a padded 3x3 convolution gives ceil(size / stride)
        raise UserError(
            f"A map of size {shape[1]} cannot be joined with one of size {smallest}: no whole "
            "stride gives that size."
        )
    return stride
