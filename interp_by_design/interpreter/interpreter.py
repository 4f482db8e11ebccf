"""What every interpreter promises: attributes, a linear decision over them, and an image back from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from torch import nn

from interp_by_design.interpreter.head import LinearHead
from interp_by_design.terms import (
    Attributes,
    Batch,
    Concepts,
    ForwardPass,
    Images,
    Interpretation,
    Scalar,
)


class Interpreter(nn.Module, ABC):
    """g: from one pass of the predictor to attributes (`forward`), which `head` turns into logits and `decoder` into an image.

    An interpreter may have losses of its own beside the objective's: `extra_terms` gives them, `extra_weights` what each counts.
    One that `is_the_predictor` explains no other network: once `join` is called, f decides by h ∘ Φ itself. One that learns
    from concepts has their names, by attribute, in `taught`. One that `teaches` not is a control, and f never learns from it.
    """

    head: LinearHead
    decoder: nn.Module
    n_attributes: int
    is_the_predictor: bool = False
    teaches: bool = True
    taught: tuple[str, ...] = ()
    extra_weights: Mapping[str, float] = MappingProxyType({})

    @abstractmethod
    def forward(self, seen: ForwardPass) -> Attributes:
        """Φ(x) >= 0, [n, J]. Only a control may look at `seen.logits`."""

    def reconstruct(self, seen: ForwardPass, attributes: Attributes) -> Images:
        """The image that `attributes` of this pass tell; while training, one may be made of more than they hold."""
        image: Images = self.decoder(attributes)
        return image

    def extra_terms(self, seen: Interpretation, batch: Batch) -> dict[str, Scalar]:
        """Losses of a training batch by name, unweighted, for each name of `extra_weights` that is not 0; none by default."""
        return {}

    def learn_from(self, concepts: Concepts | None) -> None:
        """Hands over what the data tells of its training images, None where it tells nothing; most interpreters ignore it."""

    def join(self, network: nn.Module) -> None:
        """Makes f of `network` and g one, before training and before weights are loaded; nothing for one that explains f."""
