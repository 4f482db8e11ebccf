"""What-if section: g's decision under changed attributes, which the page computes itself."""

from __future__ import annotations

from interp_by_design.report.page.section import Section

SECTION = Section("what-if", "What if", script="what_if")
