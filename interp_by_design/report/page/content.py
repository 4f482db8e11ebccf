"""Content of the page as plain values.

Images are data URIs. Numbers that people only look at are rounded; those that the page computes
with (weights, bias, and the attributes of samples) are float32 in full, so that its probabilities
are the model's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from interp_by_design.report.page.data import ReportData
from interp_by_design.report.page.numbers import exact
from interp_by_design.report.page.sections import SECTIONS
from interp_by_design.report.page.sections.samples import MIN_PROBABILITY


@final
@dataclass(frozen=True)
class Head:
    """The linear head h: logits of g are `weights @ attributes + bias`.

    Args:
        weights: One row per class, [C, J].
        bias: [C].
    """

    weights: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...]


@final
@dataclass(frozen=True)
class SharedValues:
    """Values that several sections show.

    Args:
        split: Name of the explained split.
        sheets_split: Name of the split that attribute sheets show.
        n: Number of explained images.
        n_attributes: Number of attributes J.
        tau: Attributes with |r| > 1/tau are shown.
        min_probability: Probabilities of f up to this are left out.
        class_names: Name of each class.
        attribute_names: Names of attributes that have one.
        head: The linear head.
    """

    split: str
    sheets_split: str
    n: int
    n_attributes: int
    tau: float
    min_probability: float
    class_names: tuple[str, ...]
    attribute_names: Mapping[int, str]
    head: Head


@final
@dataclass(frozen=True)
class PageContent:
    """All of the page.

    Args:
        title: Title of the page.
        pixelated: Whether images are so small that single pixels matter.
        shared: Values that several sections show.
        sections: Values of each section by its key.
    """

    title: str
    pixelated: bool
    shared: SharedValues
    sections: Mapping[str, Any]


def page_content(data: ReportData) -> PageContent:
    """Format the data of a report for the page.

    Args:
        data: Everything that the page shows.

    Returns:
        Plain values.
    """
    findings, table = data.findings, data.findings.table
    return PageContent(
        title=data.run.title,
        pixelated=data.images.pixelated,
        shared=SharedValues(
            split=findings.split,
            sheets_split=findings.sheets_split,
            n=len(table),
            n_attributes=data.n_attributes,
            tau=findings.columns.tau,
            min_probability=MIN_PROBABILITY,
            class_names=data.class_names,
            attribute_names=dict(data.run.names.names),
            head=Head(tuple(exact(row) for row in table.head_weights), exact(table.head_bias)),
        ),
        sections={section.key: section.values(data) for section in SECTIONS},
    )
