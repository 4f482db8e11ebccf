"""The sections of the page, in the order of their tabs."""

from interp_by_design.report.page.section import Section
from interp_by_design.report.page.sections import (
    attributes,
    classes,
    names,
    overview,
    run,
    samples,
    what_if,
)

SECTIONS: tuple[Section, ...] = (
    overview.SECTION,
    attributes.SECTION,
    classes.SECTION,
    samples.SECTION,
    what_if.SECTION,
    names.SECTION,
    run.SECTION,
)
