"""The predictor f: a network, its preprocessing, and the hidden layers that are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import torch
from torch import nn

from interp_by_design.predictor.activation_reader import ActivationReader
from interp_by_design.predictor.hidden_layers import LayerReader
from interp_by_design.predictor.modes import uncompiled
from interp_by_design.predictor.preprocessing import Preprocessing
from interp_by_design.terms import DataFacts, ForwardPass, Images, UserError


@final
class Predictor(nn.Module):
    """A network with its preprocessing and its hidden layers f_I.

    Takes images in [0, 1], prepares them, and returns the logits and the hidden layers of one pass.

    Args:
        network: the classifier, with weights of single or double precision.
        hidden_layers: names of the layers that the interpreter reads, or one name.
        facts: shape, classes and normalisation of the data.
        preprocessing: how images are prepared; None normalises them as the data declares.

    Raises:
        UserError: a layer cannot be read or repeats the logits; the network or the preprocessing
            does not take such images; weights have half precision.
        UnknownName: a layer does not exist.
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
        super().__init__()
        _check_precision(network)
        self.preprocessing = preprocessing or Preprocessing(facts.normalisation)
        self.input_shape = self.preprocessing.input_shape(facts.image_shape)
        self.network = uncompiled(network)  # whose parameters keep their names
        self.hidden_layers = (
            (hidden_layers,) if isinstance(hidden_layers, str) else tuple(map(str, hidden_layers))
        )
        self.reader = LayerReader(self.network, self.hidden_layers, self.input_shape)
        self.hidden_shapes = self.reader.shapes
        normalisation = self.preprocessing.normalisation
        self.register_buffer("mean", _channels(normalisation.mean), persistent=False)
        self.register_buffer("std", _channels(normalisation.std), persistent=False)
        self._identity = not (self.mean.any() or (self.std != 1).any())

    def forward(self, images: Images) -> ForwardPass:
        return self.reader(self._prepared(images))

    def activation_reader(
        self, layers: Sequence[str], inputs: bool = False
    ) -> Callable[[Images], ForwardPass]:
        """Return a reader of any layers of the network, for analysis.

        Args:
            layers: names of layers, the class head included.
            inputs: read what the layers take in place of their outputs.

        Returns:
            A function from images [n, c, h, w] in [0, 1] to the logits and the layers of one pass.

        Raises:
            UserError: a layer cannot be read.
            UnknownName: a layer does not exist.
        """
        read = ActivationReader(self.network, layers, self.input_shape, inputs)
        return lambda images: read(self._prepared(images))

    def _prepared(self, images: Images) -> Images:
        images = self.preprocessing.rearrange(images)
        return images if self._identity else (images - self.mean) / self.std


def _channels(values: Sequence[float]) -> torch.Tensor:
    return torch.tensor(values).view(-1, 1, 1)


def _check_precision(network: nn.Module) -> None:
    halves = {
        str(weight.dtype).removeprefix("torch.")
        for weight in network.parameters()
        if _is_half(weight)
    }
    if halves:
        raise UserError(
            f"{type(network).__name__} cannot be interpreted while its weights are "
            f"{' and '.join(sorted(halves))}: give network.float()."
        )


def _is_half(weight: torch.Tensor) -> bool:
    return weight.is_floating_point() and weight.dtype not in (torch.float32, torch.float64)
