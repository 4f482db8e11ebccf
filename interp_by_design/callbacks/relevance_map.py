"""The map of global relevance during training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from interp_by_design.callbacks.attribute_table import relevance_table
from interp_by_design.callbacks.figure_callback import (
    N_PROBE_IMAGES,
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
    """Show a map of classes by attributes, `attributes/relevance_map`, and its numbers.

    The numbers are the table `attributes/relevance`.

    Args:
        folder: The run folder.
        every: Interval: a whole number of epochs, or a share of the training below 1; None for
            the end of the training alone.
        tau: Pairs with a relevance above 1/tau are marked; larger than 1.
        images: Number of validation images in the probe set.
    """

    def __init__(
        self,
        folder: str | Path,
        every: int | float | None = 0.25,
        tau: float = TAU,
        images: int = N_PROBE_IMAGES,
    ) -> None:
        super().__init__(folder, every, images)
        self.tau = checked_tau(tau)

    def show(self, snapshot: Snapshot) -> Iterator[Drawing | Sheet]:
        found, classes = explain_globally(snapshot.table), snapshot.model.facts.class_names
        figure = relevance_map(
            found, classes, snapshot.names, self.tau, LIGHT, snapshot.caption_all
        )
        yield Drawing.from_figure(
            "attributes/relevance_map", f"global relevance, {snapshot.caption_all}", figure
        )
        yield relevance_table("attributes/relevance", found, classes, snapshot.names)
