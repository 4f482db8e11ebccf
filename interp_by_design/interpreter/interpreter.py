"""What every interpreter promises: attributes, a linear decision over them, and an image back from them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import nn

from interp_by_design.interpreter.head import LinearHead
from interp_by_design.terms import Attributes, HiddenPass


class Interpreter(nn.Module, ABC):
    """g: from one pass of the predictor to attributes (`forward`), which `head` turns into logits and `decoder` into an image."""

    head: LinearHead
    decoder: nn.Module
    n_attributes: int

    @abstractmethod
    def forward(self, seen: HiddenPass) -> Attributes:
        """Φ(x) >= 0, [n, J]. Only a control may look at `seen.logits`."""
