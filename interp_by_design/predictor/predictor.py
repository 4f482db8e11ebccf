"""f as the house sees it: a network, what it wants done to an image first, and the hidden layers that are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import nn

from interp_by_design.predictor.hidden_layers import layer_shapes, overwrites, read
from interp_by_design.terms import DataFacts, HiddenPass, Images, Normalisation, UserError


@final
class Predictor(nn.Module):
    """A network with its preprocessing and its chosen hidden layers f_I.

    Takes images in [0, 1], normalises them, and gives the logits and the hidden layers of that one pass.

    Raises `UserError` at once for a layer that is unknown, that cannot be read, or that holds the answer, and for images that the
    network or the normalisation cannot take.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, network: nn.Module, hidden_layers: Sequence[str], facts: DataFacts, normalisation: Normalisation | None = None
    ) -> None:
        """`hidden_layers` is a list of names, or one name; `normalisation` is the data's, unless the network has its own."""
        super().__init__()
        normalisation = normalisation or facts.normalisation
        if len(normalisation.mean) not in (1, facts.image_shape[0]):
            raise UserError(
                f"A normalisation by {len(normalisation.mean)} means does not fit images of {facts.image_shape[0]} channels: "
                "give one for all, or one for each."
            )
        self.network = network
        self.hidden_layers = (hidden_layers,) if isinstance(hidden_layers, str) else tuple(hidden_layers)
        self.hidden_shapes = layer_shapes(network, self.hidden_layers, facts.image_shape)
        self.register_buffer("mean", torch.tensor(normalisation.mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(normalisation.std).view(-1, 1, 1), persistent=False)
        self._identity = not (self.mean.any() or (self.std != 1).any())
        self._copy = overwrites(network, self.hidden_layers, facts.image_shape)

    def forward(self, images: Images) -> HiddenPass:
        return read(self.network, self.hidden_layers, images if self._identity else (images - self.mean) / self.std, self._copy)
