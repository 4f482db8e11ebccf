"""A section of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from interp_by_design.report.page.data import ReportData


def no_values(data: ReportData) -> None:
    """Return nothing, for a section that shows only what other sections pass to the scripts.

    Args:
        data: Ignored.
    """


@final
@dataclass(frozen=True)
class Section:
    """One tab of the page.

    Args:
        key: Address of the tab; also the key of its values in the page's content.
        title: Words on the tab.
        values: Function from the data of a report to the plain values that the section shows.
        script: File in `scripts/` that fills the section, without `.js`; "" for none.
        template: File in `templates/` that fills it without JavaScript, without `.html`; "" for
            none.
        style: File in `styles/` for this section alone, without `.css`; "" for none.
    """

    key: str
    title: str
    values: Callable[[ReportData], Any] = no_values
    script: str = ""
    template: str = ""
    style: str = ""
