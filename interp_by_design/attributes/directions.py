"""Signed directions, each of which gives two attributes: its positive and its negative part."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from interp_by_design.attributes.dictionary import check_count
from interp_by_design.terms import Attributes, UserError


def direction_count(n_attributes: object) -> int:
    """Return how many directions give an even number of attributes.

    Args:
        n_attributes: The number of attributes J.

    Returns:
        J / 2.

    Raises:
        UserError: J is not a whole number of at least 1, or is odd.

    >>> direction_count(10)
    5
    """
    directions, rest = divmod(check_count(n_attributes), 2)
    if rest:
        raise UserError(
            f"n_attributes must be even, not {n_attributes}: each direction gives two attributes, "
            f"its positive and its negative part. Choose {2 * directions + 2}."
        )
    return directions


def signed_parts(signed: Float[Tensor, "n directions"], n_attributes: int) -> Attributes:
    """Split directions into all positive parts, then all negative parts.

    Args:
        signed: Values of either sign, [n, D].
        n_attributes: The number of parts J, 2 D or 2 D - 1: without the last negative part where
            odd.

    Returns:
        The parts, [n, J], each >= 0.

    >>> signed_parts(torch.tensor([[2.0, -3.0]]), 4).tolist()
    [[2.0, 0.0, 0.0, 3.0]]
    """
    return torch.cat([signed, -signed], dim=1)[:, :n_attributes].relu()


def signed_weights(
    weights: Float[Tensor, "n attributes"],
) -> Float[Tensor, "n directions"]:
    """Turn weights of the parts into weights of the directions.

    Args:
        weights: Weights of the parts in the order of `signed_parts`, [n, J].

    Returns:
        The weight of each positive part less that of the negative part, [n, ceil(J/2)].

    >>> signed_weights(torch.tensor([[1.0, 0.0, 0.0]])).tolist()
    [[1.0, 0.0]]
    """
    positive, negative = F.pad(weights, (0, weights.shape[1] % 2)).chunk(2, dim=1)
    return positive - negative
