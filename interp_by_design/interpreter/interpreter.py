"""Interface of interpreters: attributes, a linear decision over them, and a decoded image."""

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
    """g: attributes from one pass of the predictor, logits by `head` and an image by `decoder`.

    Class attributes describe an interpreter:

    - `is_the_predictor`: it explains no other network; after `join`, f decides by h ∘ Φ itself.
    - `teaches`: if False, no gradient reaches f, as in negative controls.
    - `concept_names`: the name of each attribute's concept, for an interpreter that learns from
    them. - `extra_weights`: the weights of its own losses (`extra_terms`), in addition to the
    objective's.
    """

    head: LinearHead
    decoder: nn.Module
    n_attributes: int
    is_the_predictor: bool = False
    teaches: bool = True
    concept_names: tuple[str, ...] = ()
    extra_weights: Mapping[str, float] = MappingProxyType({})

    @abstractmethod
    def forward(self, seen: ForwardPass) -> Attributes:
        """Return Φ(x) >= 0, [n, J]. Only a negative control may read `seen.logits`."""

    def reconstruct(self, seen: ForwardPass, attributes: Attributes) -> Images:
        """Decode attributes; during training, a subclass may also use the hidden layers.

        Args:
            seen: The forward pass that the attributes come from.
            attributes: Φ(x), [n, J].

        Returns:
            Images in [0, 1] units, not clamped, [n, c, h, w].
        """
        image: Images = self.decoder(attributes)
        return image

    def extra_terms(self, seen: Interpretation, batch: Batch) -> dict[str, Scalar]:
        """Compute the interpreter's own losses of a training batch; none by default.

        Args:
            seen: The outputs of f and g for the batch.
            batch: The batch.

        Returns:
            One unweighted loss for each name in `extra_weights`.
        """
        return {}

    def learn_from(self, concepts: Concepts | None) -> None:
        """Receive the concept labels of the training images; most interpreters ignore them.

        Args:
            concepts: The labels; None where the data set has none.

        Raises:
            UserError: The interpreter needs labels, and these do not fit.
        """

    def join(self, network: nn.Module) -> None:
        """Let f decide by g, before training and before weights are loaded.

        By default nothing happens: the interpreter explains f.

        Args:
            network: The network of f, changed in place.

        Raises:
            UserError: The network has no class head to replace.
        """
