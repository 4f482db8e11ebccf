"""How f and g become one: the network's class head is replaced by the interpreter's own decision. Knows nothing of losses."""

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
    """h ∘ Φ in place of a class head: what that was given goes to the dictionary as its one hidden layer."""

    def __init__(self, dictionary: AttributeDictionary, head: LinearHead) -> None:
        super().__init__()
        self.dictionary, self.head = dictionary, head

    def forward(self, hidden: Tensor) -> Logits:
        logits: Logits = self.head(self.dictionary([hidden]))
        return logits


def decide_by(dictionary: AttributeDictionary, head: LinearHead, network: nn.Module) -> None:
    """Lets `network` decide by `head` over `dictionary`: both are then part of the network and of the interpreter.

    Raises `UserError` for a network without a class head called `head`.
    """
    if not isinstance(getattr(network, HEAD, None), nn.Module):
        raise UserError(
            f"{type(network).__name__} has no stage called '{HEAD}' that could be replaced by the interpreter's decision. "
            "Choose predictor=lenet, or a network that ends in such a stage."
        )
    setattr(network, HEAD, Decision(dictionary, head))


def checked_weights(**weights: float) -> dict[str, float]:
    """`weights` themselves, those that are 0 left out; `UserError` for one that is negative or not finite."""
    checked = {name: check_weight(name, weight) for name, weight in weights.items()}
    return {name: weight for name, weight in checked.items() if weight}
