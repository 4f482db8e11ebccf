"""What a report shows, and of which run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from interp_by_design.report.history import History
from interp_by_design.terms import TAU, AttributeNames, check_whole


@dataclass(frozen=True)
class RunDescription:
    """The files of a run folder that a report shows, already read.

    Args:
        title: Title of the report.
        command: Command line that started the run.
        config_yaml: Configuration of the run.
        provenance: Content of `provenance.json`.
        scores: Content of `metrics.json`, by keys such as `test/fidelity`.
        controls: Test scores of the negative controls by their names, by keys without prefix;
            empty where they are unknown.
        names: Names of attributes from `names.yaml`.
        history: Values logged during training.
    """

    title: str
    command: str = ""
    config_yaml: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    controls: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    names: AttributeNames = field(default_factory=AttributeNames)
    history: History = field(default_factory=dict)


@dataclass(frozen=True)
class ReportOptions:
    """How much a report shows.

    Args:
        split: Split whose images are explained.
        samples: Maximum number of images on the page, at least 0.
        starts: Images on the sheet of each attribute, at least 1.
        maximize: Whether these images are also changed to raise the attribute; it takes most
            of the time.
        tau: Attributes with |r| > 1/tau are shown.
        seed: Seed of everything drawn at random for the report.
        figures: Whether `figures/` is written as well.

    Raises:
        UserError: A number is out of range.
    """

    split: str = "test"
    samples: int = 200
    starts: int = 3
    maximize: bool = True
    tau: float = TAU
    seed: int = 0
    figures: bool = True

    def __post_init__(self) -> None:
        check_whole("samples", self.samples, minimum=0)
        check_whole("starts", self.starts, minimum=1)
