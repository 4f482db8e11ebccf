"""Names section: a form for names of attributes, and the file that keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from interp_by_design.report.names import HEAD, MAX_LENGTH
from interp_by_design.report.page.data import ReportData
from interp_by_design.report.page.section import Section


@final
@dataclass(frozen=True)
class NamesValues:
    """Form of `names.yaml`.

    Args:
        head: Comment at the beginning of the file.
        max_length: Characters of a name.
    """

    head: str
    max_length: int


def names_values(data: ReportData) -> NamesValues:
    """Return the form of `names.yaml`.

    Args:
        data: Ignored; the form is the same for every run.

    Returns:
        The values of the section.
    """
    return NamesValues(HEAD, MAX_LENGTH)


SECTION = Section("names", "Names", names_values, script="names")
