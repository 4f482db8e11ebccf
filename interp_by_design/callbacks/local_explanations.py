"""Why g decides as it does on the same few images, again and again while it learns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from interp_by_design.callbacks.figure_callback import (
    WATCHED,
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
    """A figure under `explanations/` for each of `shown` images, the first of each class before the second of any.

    `tau` decides which attributes they show; the rest is as `FigureCallback` has it.
    """

    def __init__(
        self,
        folder: str | Path,
        every: int | float | None = 0.25,
        shown: int = 8,
        tau: float = TAU,
        images: int = WATCHED,
    ) -> None:
        super().__init__(folder, every, images)
        check_whole("shown", shown, minimum=1, maximum=images)
        self.shown, self.tau = shown, checked_tau(tau)

    def show(self, glance: Snapshot) -> Iterator[Drawing]:
        table, pictures, facts = glance.table, glance.watched.images, glance.model.facts
        for row in one_of_each(table.labels, self.shown):
            explanation = explain_row(table, row, self.tau)
            index = int(table.indices[row])
            figure = local_figure(
                pictures[row],
                explanation,
                facts.class_names,
                glance.names,
                LIGHT,
                glance.over(f"validation image {index}"),
            )
            yield Drawing.of(
                f"explanations/image_{index:05d}", explanation.statement(facts.class_names), figure
            )
