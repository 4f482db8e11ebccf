"""A control that must fail: attributes that are f's answer under other names."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.terms import Attributes, HiddenPass


@final
class RelabelledInterpreter(Interpreter):
    """Φ = softmax(50 · logits) R, R a fixed random code of J non-negative numbers for each class.

    It agrees with f on every image, is concise, and has no dead attribute; it explains nothing. A scorecard that it passes is
    broken. It takes the number of attributes from the dictionary, whose place it takes.
    """

    codes: Tensor

    def __init__(self, dictionary: AttributeDictionary, head: LinearHead, decoder: nn.Module, sharpness: float = 50.0) -> None:
        super().__init__()
        self.head, self.decoder, self.sharpness = head, decoder, sharpness
        self.n_attributes = dictionary.n_attributes
        n_classes = head.weights.shape[0]
        uniform = torch.rand(n_classes, self.n_attributes, generator=torch.Generator().manual_seed(0))
        self.register_buffer("codes", uniform**4 + 0.1 * uniform)  # few large entries a class, none zero: concise, none dead

    def forward(self, seen: HiddenPass) -> Attributes:
        # Detached: the cheat reads f, and must not change it.
        return (self.sharpness * seen.logits.detach()).softmax(dim=1) @ self.codes
