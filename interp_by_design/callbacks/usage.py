"""How often each attribute is used, while that settles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from interp_by_design.callbacks.attribute_table import attribute_table
from interp_by_design.callbacks.figure_callback import FigureCallback, Snapshot
from interp_by_design.callbacks.loggers import Drawing, Sheet
from interp_by_design.explain import explain_globally
from interp_by_design.visualize import LIGHT, usage


@final
class Usage(FigureCallback):
    """The share of images on which each attribute is active, `attributes/usage`; and a table of them all, `attributes/table`."""

    def show(self, glance: Snapshot) -> Iterator[Drawing | Sheet]:
        found = explain_globally(glance.table)
        figure = usage(found.active_share, glance.names, LIGHT, glance.over_all)
        yield Drawing.of(
            "attributes/usage", f"share of images with φ active, {glance.over_all}", figure
        )
        yield attribute_table(
            "attributes/table", found, glance.model.facts.class_names, glance.names
        )
