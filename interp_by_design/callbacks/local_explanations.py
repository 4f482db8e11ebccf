"""Local explanations of the same images during training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from interp_by_design.callbacks.figure_callback import (
    N_PROBE_IMAGES,
    FigureCallback,
    Snapshot,
    checked_tau,
)
from interp_by_design.callbacks.loggers import Drawing
from interp_by_design.callbacks.probe_set import one_of_each
from interp_by_design.explain import explain_row
from interp_by_design.terms import TAU, check_whole
from interp_by_design.visualize import LIGHT, local_figure


@final
class LocalExplanations(FigureCallback):
    """Show a figure under `explanations/` for each of a few images.

    The first image of each class comes before the second image of any class.

    Args:
        folder: The run folder.
        every: Interval: a whole number of epochs, or a share of the training below 1; None for
            the end of the training alone.
        shown: Number of images with a figure, from 1 to `images`.
        tau: Attributes with |relevance| > 1/tau are shown; larger than 1.
        images: Number of validation images in the probe set.
    """

    def __init__(
        self,
        folder: str | Path,
        every: int | float | None = 0.25,
        shown: int = 8,
        tau: float = TAU,
        images: int = N_PROBE_IMAGES,
    ) -> None:
        super().__init__(folder, every, images)
        check_whole("shown", shown, minimum=1, maximum=images)
        self.shown, self.tau = shown, checked_tau(tau)

    def show(self, snapshot: Snapshot) -> Iterator[Drawing]:
        table, pictures, facts = snapshot.table, snapshot.probe_set.images, snapshot.model.facts
        for row in one_of_each(table.labels, self.shown):
            explanation = explain_row(table, row, self.tau)
            index = int(table.indices[row])
            figure = local_figure(
                pictures[row],
                explanation,
                facts.class_names,
                snapshot.names,
                LIGHT,
                snapshot.caption(f"validation image {index}"),
            )
            yield Drawing.from_figure(
                f"explanations/image_{index:05d}", explanation.statement(facts.class_names), figure
            )
