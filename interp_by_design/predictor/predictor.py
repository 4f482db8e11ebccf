"""f as the house sees it: a network, what it wants done to an image first, and the hidden layers that are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import nn

from interp_by_design.predictor.hidden_layers import LayerReader
from interp_by_design.predictor.modes import uncompiled
from interp_by_design.predictor.preprocessing import Preprocessing
from interp_by_design.terms import DataFacts, ForwardPass, Images, UserError


@final
class Predictor(nn.Module):
    """A network with its preprocessing and its chosen hidden layers f_I.

    Takes images in [0, 1], prepares them as `preprocessing` says, and gives the logits and the hidden layers of that one pass.

    Raises `UserError` at once for a layer that is unknown, that cannot be read, or that holds the answer, and for images that the
    network or the preprocessing cannot take, and for weights of half precision.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        network: nn.Module,
        hidden_layers: Sequence[str],
        facts: DataFacts,
        preprocessing: Preprocessing | None = None,
    ) -> None:
        """`hidden_layers` is a list of names, or one name; without `preprocessing`, images are normalised as the data says."""
        super().__init__()
        _check_precision(network)
        self.preprocessing = preprocessing or Preprocessing(facts.normalisation)
        input_shape = self.preprocessing.input_shape(facts.image_shape)
        self.network = uncompiled(network)  # whose parameters keep their names
        self.hidden_layers = (
            (hidden_layers,) if isinstance(hidden_layers, str) else tuple(map(str, hidden_layers))
        )
        self.reader = LayerReader(self.network, self.hidden_layers, input_shape)
        self.hidden_shapes = self.reader.shapes
        normalisation = self.preprocessing.normalisation
        self.register_buffer("mean", _channels(normalisation.mean), persistent=False)
        self.register_buffer("std", _channels(normalisation.std), persistent=False)
        self._identity = not (self.mean.any() or (self.std != 1).any())

    def forward(self, images: Images) -> ForwardPass:
        images = self.preprocessing.arranged(images)
        return self.reader(images if self._identity else (images - self.mean) / self.std)


def _channels(values: Sequence[float]) -> torch.Tensor:
    return torch.tensor(values).view(-1, 1, 1)


def _check_precision(network: nn.Module) -> None:
    strange = {
        str(weight.dtype).removeprefix("torch.")
        for weight in network.parameters()
        if _is_half(weight)
    }
    if strange:
        raise UserError(
            f"{type(network).__name__} cannot be interpreted while its weights are {' and '.join(sorted(strange))}: "
            "give network.float()."
        )


def _is_half(weight: torch.Tensor) -> bool:
    return weight.is_floating_point() and weight.dtype not in (torch.float32, torch.float64)
