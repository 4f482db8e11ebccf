"""What every attribute dictionary promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from interp_by_design.terms import Attributes, UserError


class AttributeDictionary(nn.Module, ABC):
    """Φ = Ψ(f_I(x)) >= 0: hidden layers, maps [n, c, h, w] or vectors [n, d], to J attributes [n, J].

    A dictionary is built as `Dictionary(shapes, n_attributes, …)` with the hidden layers' shapes (no batch axis), sees nothing
    but those layers, and treats each sample alone when it is not training.
    """

    n_attributes: int

    @abstractmethod
    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        """Attributes [n, J], each >= 0."""


def checked_count(n_attributes: object) -> int:
    """`n_attributes` itself where it can be a number of attributes."""
    if isinstance(n_attributes, bool) or not isinstance(n_attributes, int) or n_attributes < 1:
        raise UserError(f"n_attributes must be a whole number of at least 1, not {n_attributes!r}.")
    return n_attributes
