"""Sheets of the strongest attributes during training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from interp_by_design.callbacks.figure_callback import N_PROBE_IMAGES, FigureCallback, Snapshot
from interp_by_design.callbacks.loggers import Drawing
from interp_by_design.explain import explain_globally
from interp_by_design.terms import check_whole
from interp_by_design.visualize import LIGHT, attribute_sheet


@final
class AttributeSheets(FigureCallback):
    """Show a sheet under `sheets/` for each of the attributes with the largest global relevance.

    Nothing is maximised, which takes long; the report does that for all attributes.

    Args:
        folder: The run folder.
        every: Interval: a whole number of epochs, or a share of the training below 1; None for
            the end of the training alone.
        attributes: Number of attributes, at least 1.
        samples: Images of the probe set on each sheet, at least 1.
        images: Number of validation images in the probe set.
    """

    def __init__(
        self,
        folder: str | Path,
        every: int | float | None = 0.5,
        attributes: int = 4,
        samples: int = 3,
        images: int = N_PROBE_IMAGES,
    ) -> None:
        super().__init__(folder, every, images)
        for name, given in {"attributes": attributes, "samples": samples}.items():
            check_whole(name, given, minimum=1)
        self.attributes, self.samples = attributes, samples

    def show(self, snapshot: Snapshot) -> Iterator[Drawing]:
        # Imports captum, which takes a second.
        from interp_by_design.explain import SheetSettings, attribute_sheets

        largest = explain_globally(snapshot.table).relevance.amax(dim=0)
        strongest = largest.argsort(descending=True, stable=True)[: self.attributes].tolist()
        settings = SheetSettings(
            samples=self.samples, maximize=False, attributes=tuple(sorted(strongest))
        )
        for sheet in attribute_sheets(
            snapshot.model, snapshot.probe_set.split(), snapshot.table, settings
        ):
            figure = attribute_sheet(
                sheet, snapshot.model.facts.class_names, snapshot.names, LIGHT, snapshot.caption_all
            )
            yield Drawing.from_figure(
                f"sheets/attribute_{sheet.attribute:03d}",
                f"φ{sheet.attribute}, {snapshot.caption_all}",
                figure,
            )
