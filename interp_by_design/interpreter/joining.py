"""Replacement of a network's class head by the interpreter's decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from torch import Tensor, nn

from interp_by_design.terms import Logits, UserError, check_weight

if TYPE_CHECKING:
    from interp_by_design.attributes import AttributeDictionary
    from interp_by_design.interpreter.head import LinearHead

HEAD = "head"


@final
class Decision(nn.Module):
    """h ∘ Φ in place of a class head, whose input becomes the dictionary's one hidden layer.

    Args:
        dictionary: Φ.
        head: h.
    """

    def __init__(self, dictionary: AttributeDictionary, head: LinearHead) -> None:
        super().__init__()
        self.dictionary, self.head = dictionary, head

    def forward(self, hidden: Tensor) -> Logits:
        logits: Logits = self.head(self.dictionary([hidden]))
        return logits


def decide_by(dictionary: AttributeDictionary, head: LinearHead, network: nn.Module) -> None:
    """Let a network decide by a head over a dictionary.

    Both are then part of the network and of the interpreter.

    Args:
        dictionary: Φ.
        head: h.
        network: The network, changed in place.

    Raises:
        UserError: The network has no class head called `head`.
    """
    if not isinstance(getattr(network, HEAD, None), nn.Module):
        raise UserError(
            f"{type(network).__name__} has no stage called '{HEAD}' that could be replaced by the "
            "interpreter's decision. Choose predictor=lenet, or a network that ends in such a "
            "stage."
        )
    setattr(network, HEAD, Decision(dictionary, head))


def nonzero_weights(**weights: float) -> dict[str, float]:
    """Return the weights of losses that count.

    Args:
        **weights: The weight of each loss, by name.

    Returns:
        The weights without those that are 0.

    Raises:
        UserError: A weight is negative or not finite.

    >>> nonzero_weights(r1=0.05, r2=0.0)
    {'r1': 0.05}
    """
    checked = {name: check_weight(name, weight) for name, weight in weights.items()}
    return {name: weight for name, weight in checked.items() if weight}
