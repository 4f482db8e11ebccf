"""Activation frequencies of attributes during training."""

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
    """Show the share of images on which each attribute is active, `attributes/usage`.

    A table of all attributes is `attributes/table`.
    """

    def show(self, snapshot: Snapshot) -> Iterator[Drawing | Sheet]:
        found = explain_globally(snapshot.table)
        figure = usage(found.active_share, snapshot.names, LIGHT, snapshot.caption_all)
        yield Drawing.from_figure(
            "attributes/usage", f"share of images with φ active, {snapshot.caption_all}", figure
        )
        yield attribute_table(
            "attributes/table", found, snapshot.model.facts.class_names, snapshot.names
        )
