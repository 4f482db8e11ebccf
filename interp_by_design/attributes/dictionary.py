"""Interface of attribute dictionaries, and checks that they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from interp_by_design.attributes.spatial_contributions import SpatialContributions
from interp_by_design.terms import Attributes, HeadWeights, UserError, check_whole

# Starts a pass over a split's hidden layers, batch by batch.
HiddenBatches = Callable[[], Iterable[Sequence[Tensor]]]


class AttributeDictionary(nn.Module, ABC):
    """Φ = Ψ(f_I(x)) >= 0: hidden layers, maps [n, c, h, w] or vectors [n, d], to J attributes.

    A dictionary is built as `Dictionary(shapes, n_attributes, …)` with the hidden layers' shapes
    (no batch axis), reads those layers alone, and treats each sample on its own when it is not
    training.

    Most dictionaries learn together with the head. One with `needs_fit` is fitted to the hidden
    layers of a frozen predictor by one call of `fit`, before the head learns, and is constant from
    then on. Its fitted values are buffers, `fitted` among them, so that no optimiser moves them and
    a state dict holds them. Before the fit, `forward` raises `UserError` (`require_fitted`).
    """

    n_attributes: int
    needs_fit: bool = False
    fitted: Tensor  # a buffer of dictionaries that need a fit

    @abstractmethod
    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        """Return the attributes, [n, J], each >= 0."""

    def dense(self, hidden: Sequence[Tensor]) -> Attributes:
        """Return the attributes before they compete for a place.

        An attribute without a place has no gradient: activation maximisation starts from these.

        Args:
            hidden: The hidden layers of n samples.

        Returns:
            The attributes, [n, J]; those of `forward` where attributes do not compete.
        """
        attributes: Attributes = self(hidden)
        return attributes

    def spatial_contributions(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions | None:
        """Return what each position of the hidden layers adds to a weighted sum of attributes.

        The contributions add up exactly to that sum of the attributes before they are rectified and
        before they compete, when not training.

        Args:
            hidden: The hidden layers of n samples.
            weights: The weight of each attribute in the sum, [n, J]: 1 at one attribute and 0
                elsewhere to ask for that one.

        Returns:
            The contributions; None where a dictionary cannot separate them, the default.
        """
        return None

    def first_head(self, n_classes: int) -> HeadWeights | None:
        """Return the initial weights of h, the same for every seed.

        Args:
            n_classes: The number of classes C.

        Returns:
            The weights, [C, J]; None, the default, for randomly drawn ones.
        """
        return None

    def fit(self, hidden: HiddenBatches, seed: int) -> None:
        """Fit the dictionary to the train split; nothing to do for one that learns with the head.

        The same batches and seed give the same dictionary.

        Args:
            hidden: Starts a pass over the split's hidden layers, batch by batch, of any floating
                precision.
            seed: The seed of all random choices.

        Raises:
            UserError: There are too few samples, or the layers hold NaN or an infinity.
        """


def check_count(n_attributes: object) -> int:
    """Return `n_attributes` if it can be a number of attributes.

    Args:
        n_attributes: The value to check.

    Returns:
        The value itself.

    Raises:
        UserError: It is not a whole number of at least 1.
    """
    return check_whole("n_attributes", n_attributes, minimum=1)


def check_active(k: object, n_attributes: int) -> int:
    """Return `k` if it can be a number of active attributes.

    Args:
        k: The value to check.
        n_attributes: The number of attributes J.

    Returns:
        The value itself.

    Raises:
        UserError: It is not a whole number from 1 to `n_attributes`.
    """
    name = f"k, the number of active attributes among n_attributes={n_attributes},"
    return check_whole(name, k, minimum=1, maximum=n_attributes)


def k_largest(attributes: Attributes, k: int) -> Attributes:
    """Keep the k largest attributes of each sample and set the others to 0.

    Args:
        attributes: Values, [n, J].
        k: How many to keep, 1..J.

    Returns:
        The sparse attributes, [n, J].

    >>> k_largest(torch.tensor([[3.0, 1.0, 2.0]]), 2).tolist()
    [[3.0, 0.0, 2.0]]
    """
    largest, which = attributes.topk(k, dim=1)
    return torch.zeros_like(attributes).scatter(1, which, largest)


def require_fitted(dictionary: AttributeDictionary) -> None:
    """Refuse a dictionary that needs a fit and has none.

    Args:
        dictionary: A dictionary with a buffer `fitted`.

    Raises:
        UserError: It is neither fitted nor loaded from a fitted one's state dict.
    """
    # An exported graph cannot branch on a buffer.
    if torch.compiler.is_compiling() or dictionary.fitted:
        return
    raise UserError(
        f"This {type(dictionary).__name__} is not fitted yet. Call fit(hidden, seed) once, as "
        "learning=post_hoc does before its first epoch, or load the state dict of a fitted one."
    )
