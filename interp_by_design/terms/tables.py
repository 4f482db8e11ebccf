"""Forward passes, interpretations and the interpretation table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from interp_by_design.terms.arrays import Attributes, HeadWeights, Images, Indices, Labels, Logits
from interp_by_design.terms.images import Batch


class ForwardPass(NamedTuple):
    """One pass of a predictor over a batch.

    Args:
        logits: [n, C].
        hidden: The chosen hidden layers, maps [n, c, h, w] or vectors [n, d].
    """

    logits: Logits
    hidden: tuple[Tensor, ...]


class BatchWithActivations(NamedTuple):
    """A mini-batch and the forward pass of a frozen predictor over it.

    Args:
        batch: The mini-batch.
        seen: Its forward pass; its floats may be of half precision.
    """

    batch: Batch
    seen: ForwardPass

    @property
    def labels(self) -> Labels:
        """The labels of the batch, as `Batch` has them."""
        return self.batch.labels


class Interpretation(NamedTuple):
    """What f and g compute on a batch.

    Args:
        predictor: Logits of f, [n, C].
        interpreter: Logits of g, [n, C].
        attributes: Φ(x), [n, J].
        reconstruction: d(Φ(x)), [n, c, h, w] in [0, 1]; None if it was not computed.
    """

    predictor: Logits
    interpreter: Logits
    attributes: Attributes
    reconstruction: Images | None


@dataclass(frozen=True)
class InterpretationTable:
    """One pass of a data set through f and g: what metrics and explanations read.

    Squared errors are means over the pixels of an image in [0, 1]. A column of errors that was not
    computed is NaN throughout.

    Args:
        indices: The index of each image in its split, [N].
        labels: [N].
        predictor: Logits of f, [N, C].
        interpreter: Logits of g, [N, C].
        attributes: Φ(x), [N, J].
        reconstruction_error: The squared error of the decoder's image, [N].
        class_mean_error: The squared error of the mean train image of the class that f decides,
            [N]; `within_class_explained` compares the decoder with it.
        head_weights: The weights of h, [C, J].
        head_bias: The bias of h, [C].
    """

    indices: Indices
    labels: Labels
    predictor: Logits
    interpreter: Logits
    attributes: Attributes
    reconstruction_error: Float[Tensor, "n"]
    class_mean_error: Float[Tensor, "n"]
    head_weights: HeadWeights
    head_bias: Float[Tensor, "classes"]

    def __len__(self) -> int:
        return self.labels.shape[0]

    @property
    def contributions(self) -> Attributes:
        """`alpha_j = phi_j w_{j,c(x)}` for the class c(x) that g decides (FLINT, section 3.3)."""
        return self.attributes * self.head_weights[self.interpreter.argmax(dim=1)]
