"""Linear decision h over attributes."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.terms import Attributes, HeadWeights, Logits, UserError


@final
class LinearHead(nn.Module):
    """h(Φ) = W Φ (+ b): the logits of g, so that each decision is a sum of attribute x weight.

    Args:
        n_attributes: The number of attributes J.
        n_classes: The number of classes C.
        bias: Whether there is a bias b. Without one, the attributes explain all of g.
        dropout: The probability, in [0, 1), of zeroing an attribute during training (0.01 in
            FLINT's code).

    Raises:
        UserError: `dropout` is out of its range.

    >>> head = LinearHead(n_attributes=3, n_classes=2)
    >>> head(torch.zeros(1, 3)).tolist()
    [[0.0, 0.0]]
    """

    def __init__(
        self, n_attributes: int, n_classes: int, bias: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise UserError(
                f"dropout is a probability from 0 up to but not including 1, not {dropout}."
            )
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(n_attributes, n_classes, bias=bias)

    def forward(self, attributes: Attributes) -> Logits:
        logits: Tensor = self.linear(self.dropout(attributes))
        return logits

    @property
    def weights(self) -> HeadWeights:
        """The weights W, [C, J]."""
        return self.linear.weight

    @property
    def bias(self) -> Float[Tensor, "classes"]:
        """The bias b, [C]; zeros where there is none."""
        return (
            self.linear.bias
            if self.linear.bias is not None
            else torch.zeros_like(self.linear.weight[:, 0])
        )
