"""A control that must fail: attributes that are f's answer under other names."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor, nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.terms import Attributes, ForwardPass


@final
class RelabelledInterpreter(Interpreter):
    """Φ = softmax(50 · logits) R, R a fixed random code of J non-negative numbers for each class (`random_codes`).

    It agrees with f on every image, is concise, and has no dead attribute; it explains nothing. A scorecard that it passes is
    broken. It takes the number of attributes from the dictionary, whose place it takes.
    """

    codes: Tensor
    teaches = False

    def __init__(
        self,
        dictionary: AttributeDictionary,
        head: LinearHead,
        decoder: nn.Module,
        sharpness: float = 50.0,
    ) -> None:
        super().__init__()
        self.head, self.decoder, self.sharpness = head, decoder, sharpness
        self.n_attributes = dictionary.n_attributes
        self.register_buffer("codes", random_codes(head.weights.shape[0], self.n_attributes))

    def forward(self, seen: ForwardPass) -> Attributes:
        # Detached: the cheat reads f, and must not change it.
        return (self.sharpness * seen.logits.detach()).softmax(dim=1) @ self.codes


def random_codes(n_classes: int, n_attributes: int) -> Tensor:
    """R [C, J], always the same: each attribute stands for the same few classes, two or more, and each class has two or more.

    So no attribute is dead, always on, or one class's own, and few are needed to tell a class: as good a disguise as can be.
    """
    draws = torch.Generator().manual_seed(0)
    classes_each = max(2, math.ceil(2 * n_classes / n_attributes))
    decks = math.ceil(n_attributes * classes_each / n_classes)
    dealt = torch.cat([torch.randperm(n_classes, generator=draws) for _ in range(decks)])[
        : n_attributes * classes_each
    ]
    codes = torch.zeros(n_classes, n_attributes)
    codes[dealt, torch.arange(n_attributes).repeat_interleave(classes_each)] = (
        0.5 + 0.5 * torch.rand(len(dealt), generator=draws)
    )
    return codes
