"""What single attributes look like, while they come about: the images that they respond to most, and where on them they look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from interp_by_design.callbacks.figure_callback import WATCHED, FigureCallback, Snapshot
from interp_by_design.callbacks.loggers import Drawing
from interp_by_design.explain import explain_globally
from interp_by_design.terms import check_whole
from interp_by_design.visualize import LIGHT, attribute_sheet


@final
class AttributeSheets(FigureCallback):
    """A sheet under `sheets/` for each of so many `attributes`, those with the largest global relevance; the rest as `FigureCallback`.

    The `samples` are the watched images that activate it most, and nothing is maximised: the report does that, for all.
    """

    def __init__(
        self,
        folder: str | Path,
        every: int | float | None = 0.5,
        attributes: int = 4,
        samples: int = 3,
        images: int = WATCHED,
    ) -> None:
        super().__init__(folder, every, images)
        for name, given in {"attributes": attributes, "samples": samples}.items():
            check_whole(name, given, minimum=1)
        self.attributes, self.samples = attributes, samples

    def show(self, glance: Snapshot) -> Iterator[Drawing]:
        from interp_by_design.explain import (
            SheetSettings,
            attribute_sheets,
        )  # captum, behind them, takes a second to import

        strongest = (
            explain_globally(glance.table)
            .relevance.amax(dim=0)
            .argsort(descending=True, stable=True)
        )
        chosen = tuple(sorted(strongest[: self.attributes].tolist()))
        settings = SheetSettings(samples=self.samples, maximize=False, attributes=chosen)
        for sheet in attribute_sheets(glance.model, glance.watched.split(), glance.table, settings):
            figure = attribute_sheet(
                sheet, glance.model.facts.class_names, glance.names, LIGHT, glance.over_all
            )
            yield Drawing.of(
                f"sheets/attribute_{sheet.attribute:03d}",
                f"φ{sheet.attribute}, {glance.over_all}",
                figure,
            )
