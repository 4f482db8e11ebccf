"""Overlap of attributes: the mean correlation among them."""

from __future__ import annotations

import torch
from torch import Tensor

from interp_by_design.metrics.table_batches import totals
from interp_by_design.metrics.usage import live_attributes
from interp_by_design.statistics import correlation_matrix_from_moments
from interp_by_design.terms import InterpretationTable


def overlap(table: InterpretationTable) -> float | None:
    """Compute `mean over i < j of | corr(phi_i, phi_j) |`, Pearson's over the samples.

    0: no attribute predicts another linearly; 1: each is a multiple of every other.

    Args:
        table: The interpretation table of a split.

    Returns:
        The mean over the pairs of live attributes, in 0..1; None for fewer than two of these. Dead
        attributes, and those that do not vary, have no correlation.
    """
    live = live_attributes(table)
    count = int(live.sum())
    if count < 2:
        return None
    mean = table.attributes.mean(dim=0, dtype=torch.float64).cpu()[live]

    def columns(part: InterpretationTable) -> dict[str, Tensor]:
        centred = part.attributes[:, live] - mean
        return {"products": centred.T @ centred}

    products = totals(table, columns)["products"]
    squares = products.diagonal()
    correlations = correlation_matrix_from_moments(products, squares, squares).abs().clamp(max=1)
    return float((correlations.sum() - correlations.diagonal().sum()) / (count * (count - 1)))


def overlap_scores(table: InterpretationTable) -> dict[str, float]:
    """Compute the overlap as a score.

    Args:
        table: The interpretation table of a split.

    Returns:
        overlap, by key; nothing where fewer than two attributes are live.
    """
    found = overlap(table)
    return {} if found is None else {"overlap": found}
