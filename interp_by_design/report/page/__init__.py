"""The report page: one HTML file made of sections.

A section is a tab. To add one:

1. Write `sections/<name>.py` with `SECTION = Section(key, title, values, ...)`. `values` is a
   function from `ReportData` to plain values (dataclasses, tuples, numbers, text). It formats what
   `ReportData` holds and computes nothing: computing belongs to `explain` or `metrics`, and
   `report/findings.py` calls it. Images are passed in as well, by `report/images.py`.
2. Write `scripts/<script>.js` with `views["<key>"] = (item) => {...}`, which fills the element
   `panel-<key>` when the tab opens. The values are `content["<key>"]`; `item` is what follows the
   slash in the address `#<key>/<item>`. A section that must show without JavaScript has an HTML
   file in `templates/` as well, where the values are called `values`.
3. Add `<name>.SECTION` to the list in `sections/__init__.py`, where order is the order of tabs.

A section that needs its own style names a file of `styles/`.
"""

from interp_by_design.report.page.content import PageContent, page_content
from interp_by_design.report.page.data import ReportData
from interp_by_design.report.page.render import render_page

__all__ = ["PageContent", "ReportData", "page_content", "render_page"]
