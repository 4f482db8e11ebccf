"""Default interpreter: a dictionary over hidden layers with a linear head."""

from __future__ import annotations

from typing import final

import torch
from torch import nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.terms import Attributes, ForwardPass


@final
class LinearInterpreter(Interpreter):
    """g = h ∘ Ψ over the hidden layers alone (FLINT, section 3.1).

    Args:
        dictionary: Ψ.
        head: h.
        decoder: d.
        frozen_dictionary: Whether Ψ keeps its random weights and g teaches f nothing, so that f
            cannot adapt to Ψ: only h and d learn. This negative control shows what random
            attributes reach. Standardising statistics are still collected.
    """

    def __init__(
        self,
        dictionary: AttributeDictionary,
        head: LinearHead,
        decoder: nn.Module,
        frozen_dictionary: bool = False,
    ) -> None:
        super().__init__()
        self.dictionary, self.head, self.decoder = dictionary, head, decoder
        self.n_attributes, self.frozen_dictionary = dictionary.n_attributes, frozen_dictionary
        self.teaches = not frozen_dictionary
        first = dictionary.first_head(len(head.bias))
        if first is not None:
            with torch.no_grad():
                head.weights.copy_(first)
        if frozen_dictionary:
            dictionary.requires_grad_(False)

    def forward(self, seen: ForwardPass) -> Attributes:
        hidden = (
            [layer.detach() for layer in seen.hidden] if self.frozen_dictionary else seen.hidden
        )
        attributes: Attributes = self.dictionary(hidden)
        return attributes
