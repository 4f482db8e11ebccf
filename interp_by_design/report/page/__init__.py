"""The report page: its content as plain values, how that is made of a run's numbers, and how it becomes one HTML file.

Knows nothing of training, and computes no explanation: it takes them from `explain` and shows them.
"""

from interp_by_design.report.page.content import PageContent
from interp_by_design.report.page.render import rendered

__all__ = ["PageContent", "rendered"]
