"""Samples section: selected images, with the decisions of f and g on each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from interp_by_design.report.page.data import ReportData
from interp_by_design.report.page.numbers import Pairs, exact, ranked
from interp_by_design.report.page.section import Section

MIN_PROBABILITY = 1e-4  # probabilities of f up to this are left out


@final
@dataclass(frozen=True)
class Sample:
    """One image, and the decisions of f and g.

    Args:
        index: Index of the image in its split.
        image: Data URI.
        label: Its label.
        predictor: f's decision.
        interpreter: g's decision.
        sufficient: Whether the shown attributes alone decide as f does.
        unexplained: Whether no attribute contributes.
        attributes: φ_j, [J].
        probabilities: f's probabilities above `MIN_PROBABILITY`.
        statement: The explanation in one to three sentences.
        reasons: Why the image is selected.
    """

    index: int
    image: str
    label: int
    predictor: int
    interpreter: int
    sufficient: bool
    unexplained: bool
    attributes: tuple[float, ...]
    probabilities: Pairs
    statement: str
    reasons: tuple[str, ...]


@final
@dataclass(frozen=True)
class SamplesValues:
    """The selected images.

    Args:
        selection: How they were selected, in words.
        items: The images, in ascending order of their indices.
    """

    selection: str
    items: tuple[Sample, ...]


def samples_values(data: ReportData) -> SamplesValues:
    """Format the selected images.

    Args:
        data: The data of the report.

    Returns:
        The values of the section.
    """
    selection = data.findings.selection
    samples = tuple(_sample(data, row) for row in selection.rows)
    return SamplesValues(selection.description, samples)


def _sample(data: ReportData, row: int) -> Sample:
    found, table, columns = data.findings, data.findings.table, data.findings.columns
    return Sample(
        index=int(table.indices[row]),
        image=data.images.samples[row],
        label=int(table.labels[row]),
        predictor=int(columns.predictor_class[row]),
        interpreter=int(columns.interpreter_class[row]),
        sufficient=bool(columns.sufficient[row]),
        unexplained=bool(columns.unexplained[row]),
        attributes=exact(table.attributes[row]),
        probabilities=ranked(found.probabilities[row], MIN_PROBABILITY),
        statement=found.explanations[row].statement(data.class_names),
        reasons=found.selection.reasons[row],
    )


SECTION = Section("samples", "Samples", samples_values, script="samples")
