"""Negative control whose attributes are f's answer under other names."""

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
    """Φ = softmax(50 · logits) R, R = `random_codes`.

    It agrees with f on every image, is concise, has no dead attribute, and explains nothing. A
    scorecard that it passes is broken.

    Args:
        dictionary: Gives the number of attributes; it is not used otherwise.
        head: h.
        decoder: d.
        sharpness: The factor of the logits.
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
        # Detached: the control reads f, and must not change it.
        return (self.sharpness * seen.logits.detach()).softmax(dim=1) @ self.codes


def random_codes(n_classes: int, n_attributes: int) -> Tensor:
    """Return R, the same for every call: each attribute stands for a few classes, and vice versa.

    Both numbers are two or more, so that no attribute is dead, always on, or exclusive to a class,
    and few identify a class: the control is as hard to detect as possible.

    Args:
        n_classes: The number of classes C.
        n_attributes: The number of attributes J.

    Returns:
        The codes, [C, J], in 0..1.

    >>> (random_codes(3, 6) > 0).sum(dim=0).tolist()
    [2, 2, 2, 2, 2, 2]
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
