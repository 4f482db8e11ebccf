"""Images over the whole range of an attribute's activation."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def rows_by_strength(values: Float[Tensor, "n"], n_rows: int) -> Int[Tensor, "m"]:
    """Return rows where an attribute is active, evenly spaced by rank, strongest first.

    The strongest images share much by chance; what the weak ones share too is what the attribute
    responds to.

    Args:
        values: φ_j of each image, [N].
        n_rows: Number of rows; fewer where the attribute is active on fewer images.

    Returns:
        Row indices [m], m ≤ n_rows.

    >>> rows_by_strength(torch.tensor([0.0, 1.0, 3.0, 2.0]), 2).tolist()
    [2, 1]
    """
    ordered, order = values.sort(descending=True, stable=True)
    active = order[: int((ordered > 0).sum())]
    places = torch.linspace(0, max(0, len(active) - 1), min(n_rows, len(active))).round().long()
    return active[places]
