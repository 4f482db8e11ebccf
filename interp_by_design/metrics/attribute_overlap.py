"""Overlap: whether attributes say the same as one another. Does not know what they are used for."""

from __future__ import annotations

import torch
from torch import Tensor

from interp_by_design.metrics.predictability import live
from interp_by_design.metrics.table_batches import totals
from interp_by_design.terms import InterpretationTable


def overlap(table: InterpretationTable) -> float | None:
    """`mean over i < j of | corr(phi_i, phi_j) |`, Pearson's over the samples, 0..1, among the live attributes; None below two.

    0: what one attribute does tells nothing of another, by a straight line at least; 1: each is a multiple of every other. Dead
    attributes, and those that do not vary, have no correlation.
    """
    chosen = live(table)
    count = int(chosen.sum())
    if count < 2:
        return None
    mean = table.attributes.mean(dim=0, dtype=torch.float64).cpu()[chosen]

    def columns(part: InterpretationTable) -> dict[str, Tensor]:
        centred = part.attributes[:, chosen] - mean
        return {"products": centred.T @ centred}

    products = totals(table, columns)["products"]
    deviations = products.diagonal().sqrt()
    correlations = (products / deviations / deviations[:, None]).abs().clamp(max=1)
    return float((correlations.sum() - correlations.diagonal().sum()) / (count * (count - 1)))


def overlap_scores(table: InterpretationTable) -> dict[str, float]:
    """overlap, by key; absent where fewer than two attributes are live."""
    found = overlap(table)
    return {} if found is None else {"overlap": found}
