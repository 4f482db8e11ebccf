"""Which attributes speak for which class, while that comes about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from interp_by_design.callbacks.attribute_table import relevance_table
from interp_by_design.callbacks.figure_callback import (
    WATCHED,
    FigureCallback,
    Snapshot,
    checked_tau,
)
from interp_by_design.callbacks.loggers import Drawing, Sheet
from interp_by_design.explain import explain_globally
from interp_by_design.terms import TAU
from interp_by_design.visualize import LIGHT, relevance_map


@final
class RelevanceMap(FigureCallback):
    """The map of classes by attributes, `attributes/relevance_map`, and its numbers, `attributes/relevance`.

    `tau` decides which pairs are marked; the rest is as `FigureCallback` has it.
    """

    def __init__(
        self,
        folder: str | Path,
        every: int | float | None = 0.25,
        tau: float = TAU,
        images: int = WATCHED,
    ) -> None:
        super().__init__(folder, every, images)
        self.tau = checked_tau(tau)

    def show(self, glance: Snapshot) -> Iterator[Drawing | Sheet]:
        found, classes = explain_globally(glance.table), glance.model.facts.class_names
        figure = relevance_map(found, classes, glance.names, self.tau, LIGHT, glance.over_all)
        yield Drawing.of("attributes/relevance_map", f"global relevance, {glance.over_all}", figure)
        yield relevance_table("attributes/relevance", found, classes, glance.names)
