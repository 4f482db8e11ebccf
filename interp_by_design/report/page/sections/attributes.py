"""Attributes section: a gallery of attributes and a sheet of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from interp_by_design.explain import AttributeSheet
from interp_by_design.report.image_encoding import heat_picture, picture
from interp_by_design.report.page.data import ReportData
from interp_by_design.report.page.numbers import finite, rounded
from interp_by_design.report.page.section import Section


@final
@dataclass(frozen=True)
class Example:
    """One of the images that activate an attribute most.

    Args:
        index: Index of the image in its split.
        label: Its label.
        value: φ_j of the image.
        image: Data URI.
        heat: Data URI of the heat map.
        maximized: Data URI of the image changed to raise the attribute; None where not computed.
        maximized_value: φ_j of the changed image.
    """

    index: int
    label: int
    value: float
    image: str
    heat: str
    maximized: str | None
    maximized_value: float | None


@final
@dataclass(frozen=True)
class Spread:
    """An image on which an attribute is active, strongly or weakly.

    Args:
        index: Index of the image in its split.
        label: Its label.
        value: φ_j of the image.
        image: Data URI.
    """

    index: int
    label: int
    value: float
    image: str


@final
@dataclass(frozen=True)
class AttributeValues:
    """The sheet of one attribute.

    Args:
        attribute: Number of the attribute.
        active_share: Share of the explained images on which it is active.
        largest: Its largest value on the explained split.
        examples: Images that activate it most.
        heatmap_method: Method of the heat maps.
        deletion: Share of φ_j lost without the hottest tenth of an image; None where undefined.
        deletion_random: The same without a random tenth.
        sweep: Data URIs of decoded images at rising values of φ_j.
        levels: These values.
        spread: Images of the explained split from the strongest to the weakest.
    """

    attribute: int
    active_share: float
    largest: float
    examples: tuple[Example, ...]
    heatmap_method: str
    deletion: float | None
    deletion_random: float | None
    sweep: tuple[str, ...]
    levels: tuple[float, ...]
    spread: tuple[Spread, ...] = ()


def attributes_values(data: ReportData) -> tuple[AttributeValues, ...]:
    """Format the sheets of all attributes.

    Args:
        data: The data of the report.

    Returns:
        The values of the section.
    """
    shares, largest = data.findings.overall.active_share.tolist(), data.findings.largest.tolist()
    return tuple(
        attribute_values(
            sheet,
            shares[sheet.attribute],
            largest[sheet.attribute],
            data.images.side,
            _spread(data, sheet.attribute),
        )
        for sheet in data.findings.sheets
    )


def attribute_values(
    sheet: AttributeSheet,
    active_share: float,
    largest: float,
    side: int,
    spread: tuple[Spread, ...] = (),
) -> AttributeValues:
    """Format one sheet.

    Args:
        sheet: The sheet.
        active_share: Share of the explained images on which the attribute is active.
        largest: Largest value of the attribute on the explained split.
        side: Longest side of an image, in pixels.
        spread: Images of the explained split from the strongest to the weakest.

    Returns:
        The values of the sheet.
    """
    return AttributeValues(
        attribute=sheet.attribute,
        active_share=rounded(active_share),
        largest=rounded(largest),
        examples=tuple(_example(sheet, place, side) for place in range(len(sheet.images))),
        heatmap_method=sheet.heatmap_method,
        deletion=finite(sheet.deletion),
        deletion_random=finite(sheet.deletion_random),
        sweep=tuple(picture(image, side) for image in sheet.sweep),
        levels=tuple(rounded(level) for level in sheet.levels.tolist()),
        spread=spread,
    )


def _spread(data: ReportData, attribute: int) -> tuple[Spread, ...]:
    table = data.findings.table
    return tuple(
        Spread(
            index=int(table.indices[row]),
            label=int(table.labels[row]),
            value=rounded(float(table.attributes[row, attribute])),
            image=data.images.spread[row],
        )
        for row in data.findings.spread[attribute]
    )


def _example(sheet: AttributeSheet, place: int, side: int) -> Example:
    raised, values = sheet.maximized, sheet.maximized_values
    return Example(
        index=int(sheet.indices[place]),
        label=int(sheet.labels[place]),
        value=rounded(float(sheet.values[place])),
        image=picture(sheet.images[place], side),
        heat=heat_picture(sheet.heatmaps[place]),
        maximized=None if raised is None else picture(raised[place], side),
        maximized_value=None if values is None else rounded(float(values[place])),
    )


SECTION = Section("attributes", "Attributes", attributes_values, script="attributes")
