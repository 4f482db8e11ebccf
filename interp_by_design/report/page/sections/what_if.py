"""What-if section: g's decision under changed attributes, computed in the page because h is linear."""

from __future__ import annotations

from interp_by_design.report.page.section import Section

SECTION = Section("what-if", "What if", script="what_if")
