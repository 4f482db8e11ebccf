"""Classes section: how often each class occurs, and its attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from interp_by_design.report.page.data import ReportData
from interp_by_design.report.page.numbers import Pairs, finite, ranked, rounded
from interp_by_design.report.page.section import Section


@final
@dataclass(frozen=True)
class ClassValues:
    """One class that occurs as a label or a decision.

    Args:
        index: Index of the class.
        labelled: Images with this label.
        predicted: Images on which f decides it.
        interpreted: Images on which g decides it.
        fidelity: Share of the images on which f decides it where g agrees; None where there
            are none.
        relevance: r_{j,c} of each attribute, [J]; empty where g decides it on no image.
        typical: Typical samples, as places in the list of samples.
        interpreters: What g decides where f decides this class.
        labels: What the label is where f decides this class.
    """

    index: int
    labelled: int
    predicted: int
    interpreted: int
    fidelity: float | None
    relevance: tuple[float, ...]
    typical: tuple[int, ...]
    interpreters: Pairs
    labels: Pairs


def classes_values(data: ReportData) -> tuple[ClassValues, ...]:
    """Format the classes that occur, in their order.

    Args:
        data: The data of the report.

    Returns:
        The values of the section.
    """
    counts, selection = data.findings.class_counts, data.findings.selection
    places = {row: place for place, row in enumerate(selection.rows)}
    return tuple(
        _class_values(data, c, tuple(places[row] for row in selection.typical.get(c, ())))
        for c in counts.occurs.nonzero().squeeze(1).tolist()
    )


def _class_values(data: ReportData, c: int, typical: tuple[int, ...]) -> ClassValues:
    found, counts = data.findings, data.findings.class_counts
    relevance = found.overall.relevance[c].tolist() if counts.interpreted[c] else ()
    return ClassValues(
        index=c,
        labelled=int(counts.labelled[c]),
        predicted=int(counts.predicted[c]),
        interpreted=int(counts.interpreted[c]),
        fidelity=finite(float(counts.fidelity[c])),
        relevance=tuple(map(rounded, relevance)),
        typical=typical,
        interpreters=ranked(found.disagreement.confusion[c]),
        labels=ranked(counts.labels[c]),
    )


SECTION = Section("classes", "Classes", classes_values, script="classes", style="classes")
