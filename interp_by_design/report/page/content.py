"""What the page shows, as plain values: everything that is drawn in it is in here. Does not know where a value came from.

Images are data URIs. Numbers that a person only looks at are rounded; those that the page computes with (weights, bias, and the
attributes of samples) are float32 in full, so that its probabilities are the model's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Pairs = tuple[tuple[int, float], ...]  # (class, share or count), the largest first


@dataclass(frozen=True)
class Curve:
    """A line of a chart."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """Lines over a common axis, and in words what they are."""

    title: str
    meaning: str
    x_title: str
    y_title: str
    curves: tuple[Curve, ...]
    logarithmic: bool = False


@dataclass(frozen=True)
class ScoreRow:
    """A line of the scorecard: the score on each split as text ("" where it has none), and what it is held to.

    `controls` is what each control scores on test, as text, and whether that is beyond the gate.
    """

    key: str
    arrow: str
    meaning: str
    values: tuple[str, ...]
    bound: str
    failed: bool
    controls: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Headline:
    """A number that a reader should see first."""

    value: str
    name: str
    meaning: str
    failed: bool


@dataclass(frozen=True)
class Scorecard:
    """Numbers of the run, those beyond their gates marked. `controls` are columns' names, `beside` says what they tell."""

    splits: tuple[str, ...]
    rows: tuple[ScoreRow, ...]
    headlines: tuple[Headline, ...]
    verdict: str
    controls: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Head:
    """The linear head h: logits of g are `weights @ attributes + bias`."""

    weights: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...]


@dataclass(frozen=True)
class Example:
    """One of an attribute's maximum activating samples, where in it the attribute looks, and what it is maximised into."""

    index: int
    label: int
    value: float
    image: str
    heat: str
    maximized: str | None
    maximized_value: float | None


@dataclass(frozen=True)
class Spread:
    """An image where an attribute is active, strongly or weakly."""

    index: int
    label: int
    value: float
    image: str


@dataclass(frozen=True)
class AttributePage:
    """The sheet of one attribute. `top` is its largest value on the split, None for a number that is not defined.

    `spread` are images of the split where it is active, evenly from the strongest to the weakest.
    """

    attribute: int
    active_share: float
    top: float
    examples: tuple[Example, ...]
    heatmap_method: str
    deletion: float | None
    deletion_random: float | None
    sweep: tuple[str, ...]
    levels: tuple[float, ...]
    spread: tuple[Spread, ...] = ()


@dataclass(frozen=True)
class ClassPage:
    """One class that occurs: how often, which attributes speak for it, and what it is taken for.

    `relevance` is r_{j,c}, empty where g decides the class on no image. `interpreters` and `labels` say what g decides, and what
    the label is, where f decides this class; `fidelity` is the share of these images where g agrees, None where there are none.
    `typical` are places in the list of samples.
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


@dataclass(frozen=True)
class Sample:
    """One image, and what f and g make of it. f's probabilities up to `Findings.least` are left out."""

    index: int
    image: str
    label: int
    predictor: int
    interpreter: int
    sufficient: bool
    unexplained: bool
    attributes: tuple[float, ...]
    probabilities: Pairs
    statement: str
    chosen: tuple[str, ...]


@dataclass(frozen=True)
class About:
    """The run itself, as text."""

    command: str
    config: str
    provenance: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Findings:
    """What explanations found. `split` is the data that samples and global numbers are of, `sheets_split` that of the sheets."""

    split: str
    sheets_split: str
    n: int
    tau: float
    least: float
    pixelated: bool
    class_names: tuple[str, ...]
    names: Mapping[int, str]
    names_head: str
    longest_name: int
    head: Head
    attributes: tuple[AttributePage, ...]
    classes: tuple[ClassPage, ...]
    samples: tuple[Sample, ...]
    chosen: str


@dataclass(frozen=True)
class PageContent:
    """All of the page."""

    title: str
    scorecard: Scorecard
    charts: tuple[Chart, ...]
    findings: Findings
    about: About

    def for_scripts(self) -> dict[str, Any]:
        """What the page's scripts draw, as values for JSON; scorecard and run are in the page as text already."""
        return dataclasses.asdict(self.findings) | {
            "charts": [dataclasses.asdict(chart) for chart in self.charts]
        }
