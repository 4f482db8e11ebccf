"""The interpreter of the house: a dictionary over hidden layers, with a linear head."""

from __future__ import annotations

from typing import final

from torch import nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.terms import Attributes, HiddenPass


@final
class LinearInterpreter(Interpreter):
    """g = h ∘ Ψ over the hidden layers alone (FLINT, section 3.1).

    With `frozen_dictionary` Ψ stays as it was drawn, and only h and d learn: the control that shows what random attributes reach.
    """

    def __init__(
        self, dictionary: AttributeDictionary, head: LinearHead, decoder: nn.Module, frozen_dictionary: bool = False
    ) -> None:
        super().__init__()
        self.dictionary, self.head, self.decoder = dictionary, head, decoder
        self.n_attributes = dictionary.n_attributes
        if frozen_dictionary:
            dictionary.requires_grad_(False)

    def forward(self, seen: HiddenPass) -> Attributes:
        attributes: Attributes = self.dictionary(seen.hidden)
        return attributes
