"""Model with known attributes: each is the sum of a part of the pixels, and one part is empty."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from interp_by_design.interpreter import DenseDecoder, Interpreter, LinearHead
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor
from interp_by_design.terms import DataFacts, ForwardPass, Normalisation

SIDE = 4
PARTS = 5
FACTS = DataFacts((1, SIDE, SIDE), ("a", "b"), Normalisation())


@final
class Parts(Interpreter):
    """φ_j: the sum of the pixels of quadrant j; φ_4 is always 0."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.decoder = (
            LinearHead(PARTS, 2),
            DenseDecoder(PARTS, FACTS.image_shape, width=4),
        )
        self.n_attributes = PARTS
        self.register_buffer("masks", masks())

    def forward(self, seen: ForwardPass) -> Tensor:
        return (seen.hidden[0].flatten(1) @ self.masks.flatten(1).T).clamp(min=0)


def masks() -> Tensor:
    """[5, 4, 4], 1 where an attribute looks."""
    half, parts = SIDE // 2, torch.zeros(PARTS, SIDE, SIDE)
    for j in range(PARTS - 1):
        row, column = divmod(j, 2)
        parts[j, row * half : (row + 1) * half, column * half : (column + 1) * half] = 1
    return parts


def planted() -> InterpretableModel:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Flatten(), nn.Linear(SIDE**2, 2))
    with torch.no_grad():
        network[0].weight.fill_(1)
    return InterpretableModel(Predictor(network, ["0"], FACTS), Parts(), FACTS)
