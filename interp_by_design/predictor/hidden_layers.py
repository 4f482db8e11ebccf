"""The hidden layers that an interpreter reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from torch import nn

from interp_by_design.predictor.activation_reader import choose_means
from interp_by_design.predictor.logits import class_scores, repeats_logits
from interp_by_design.predictor.modes import uncompiled
from interp_by_design.predictor.probing import layer_names, probing
from interp_by_design.terms import ForwardPass, Images, UserError


@final
class LayerReader:
    """An `ActivationReader` for an interpreter: it refuses layers that repeat the logits.

    An interpreter that copies the class head explains nothing.

    Args:
        network: the network to run, on normalised images.
        layers: names of hidden layers, in the order in which they are returned.
        image_shape: shape (c, h, w) of the network's input.

    Attributes:
        shapes: the shape of each hidden layer without the batch axis.

    Raises:
        UserError: a layer repeats the logits, or `ActivationReader` refuses it.
        UnknownName: a layer does not exist.
    """

    def __init__(
        self, network: nn.Module, layers: Sequence[str], image_shape: tuple[int, int, int]
    ) -> None:
        network = uncompiled(network)
        with probing(network, image_shape) as images:
            self.means = choose_means(network, layers, images)
            seen = self.means(images)
        self.shapes = [output.shape[1:] for output in seen.hidden]
        for name, output in zip(layers, seen.hidden, strict=True):
            if repeats_logits(class_scores(output), seen.logits):
                raise UserError(
                    f"Layer '{name}' is the class head's output: an interpreter that reads the "
                    "logits explains nothing. Choose hidden layers before it, such as "
                    f"{layer_names(network, name)[:-1]}."
                )

    def __call__(self, images: Images) -> ForwardPass:
        return self.means(images)
