"""Options of the report that a run writes at its end."""

from __future__ import annotations

from typing import final

import pytorch_lightning as pl

from interp_by_design.callbacks.figure_callback import checked_tau
from interp_by_design.report.options import ReportOptions
from interp_by_design.terms import SPLITS, TAU, UnknownName, check_whole


@final
class Report(pl.Callback):
    """Request `report.html` in the run folder once the run is evaluated.

    The callback holds the options and does nothing during training. The run writes the report
    after evaluation and passes the page, its figures, and tables of attributes and classes to
    the loggers.

    Args:
        split: Split whose images are explained.
        samples: Maximum number of images on the page, at least 1.
        starts: Images from which the maximisation of an attribute starts, at least 1.
        maximize: Whether to maximise attributes; it takes most of the time.
        tau: Attributes with |relevance| > 1/tau are shown; larger than 1.
        figures: Whether to write `figures/` as well.

    Raises:
        UserError: An option is out of range or the split is unknown.
    """

    def __init__(
        self,
        split: str = "test",
        samples: int = 200,
        starts: int = 3,
        maximize: bool = True,
        tau: float = TAU,
        figures: bool = True,
    ) -> None:
        for name, given in {"samples": samples, "starts": starts}.items():
            check_whole(name, given, minimum=1)
        if split not in SPLITS:
            raise UnknownName.among("split", str(split), SPLITS)
        self.options = ReportOptions(
            split=split,
            samples=samples,
            starts=starts,
            maximize=maximize,
            tau=checked_tau(tau),
            figures=figures,
        )
