"""What every attribute dictionary promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from interp_by_design.attributes.spatial_contributions import SpatialContributions
from interp_by_design.terms import Attributes, HeadWeights, UserError, check_whole

HiddenBatches = Callable[
    [], Iterable[Sequence[Tensor]]
]  # starts a pass over a split's hidden layers, batch by batch


class AttributeDictionary(nn.Module, ABC):
    """Φ = Ψ(f_I(x)) >= 0: hidden layers, maps [n, c, h, w] or vectors [n, d], to J attributes [n, J].

    A dictionary is built as `Dictionary(shapes, n_attributes, …)` with the hidden layers' shapes (no batch axis), sees nothing
    but those layers, and treats each sample alone when it is not training.

    Most are learned together with the head. One that `needs_fit` is fitted to the hidden layers of a frozen predictor by one call
    of `fit`, before the head learns, and stays as it is from then on. What it was fitted to is in buffers, `fitted` among them:
    no optimiser moves it, and a state dict holds it. Until then `forward` raises `UserError` (`require_fitted`).
    """

    n_attributes: int
    needs_fit: bool = False
    fitted: Tensor  # a buffer, of those that need a fit

    @abstractmethod
    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        """Attributes [n, J], each >= 0."""

    def dense(self, hidden: Sequence[Tensor]) -> Attributes:
        """Attributes [n, J] before they compete for a place: what `forward` gives where they do not.

        Whoever climbs an attribute's gradient starts from these: one that has no place has no gradient.
        """
        attributes: Attributes = self(hidden)
        return attributes

    def evidence(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions | None:
        """What each position of the hidden layers adds to a weighted sum of attributes, when not training.

        `weights` [n, J] is 1 at one attribute and 0 elsewhere to ask for that one. The parts add up exactly to that sum of the
        attributes before they are rectified and before they compete. None where a dictionary cannot tell them apart.
        """
        return None

    def first_head(self, n_classes: int) -> HeadWeights | None:
        """What the weights of h [C, J] are to start from, the same whatever the seed; None: as they are drawn."""
        return None

    def fit(self, hidden: HiddenBatches, seed: int) -> None:
        """Fits the dictionary to the train split: nothing to do for one that is learned together with the head.

        `hidden()` starts a pass over the split's hidden layers, batch by batch, of any floating precision. The same batches and
        seed give the same dictionary. Raises `UserError` for too few samples, and for NaN or an infinity.
        """


def checked_count(n_attributes: object) -> int:
    """`n_attributes` itself where it can be a number of attributes."""
    return check_whole("n_attributes", n_attributes, minimum=1)


def checked_active(k: object, n_attributes: int) -> int:
    """`k` itself where it can be a number of active attributes among `n_attributes`."""
    name = f"k, the number of active attributes among n_attributes={n_attributes},"
    return check_whole(name, k, minimum=1, maximum=n_attributes)


def checked_pairs(n_attributes: object) -> int:
    """How many signed directions make `n_attributes`, a positive and a negative part of each; `UserError` where it is odd."""
    directions, rest = divmod(checked_count(n_attributes), 2)
    if rest:
        raise UserError(
            f"n_attributes must be even, not {n_attributes}: each direction gives two attributes, its positive and its negative "
            f"part. Choose {2 * directions + 2}."
        )
    return directions


def k_largest(attributes: Attributes, k: int) -> Attributes:
    """The k largest attributes of each sample as they are, the others 0: at most k are active where attributes are >= 0."""
    largest, which = attributes.topk(k, dim=1)
    return torch.zeros_like(attributes).scatter(1, which, largest)


def require_fitted(dictionary: AttributeDictionary) -> None:
    """Raises `UserError` where a dictionary that needs a fit had none, and no state dict of one that had."""
    if (
        torch.compiler.is_compiling() or dictionary.fitted
    ):  # a graph that is exported cannot branch on a buffer
        return
    raise UserError(
        f"This {type(dictionary).__name__} is not fitted yet. Call fit(hidden, seed) once, as learning=post_hoc does before its "
        "first epoch, or load the state dict of one that is."
    )
