"""Synthetic content of a page: a random linear head and random images."""

from __future__ import annotations

import torch
from torch import Tensor

from interp_by_design.metrics import SCORES
from interp_by_design.report.image_encoding import heat_picture, picture
from interp_by_design.report.names import HEAD, MAX_LENGTH
from interp_by_design.report.page.content import Head, PageContent, SharedValues
from interp_by_design.report.page.curves import charts
from interp_by_design.report.page.scorecard import scorecard
from interp_by_design.report.page.sections.attributes import AttributeValues, Example
from interp_by_design.report.page.sections.classes import ClassValues
from interp_by_design.report.page.sections.names import NamesValues
from interp_by_design.report.page.sections.overview import OverviewValues
from interp_by_design.report.page.sections.run import RunValues
from interp_by_design.report.page.sections.samples import Sample, SamplesValues

DIGITS = tuple("0123456789")
SCORED = {f"{split}/{score.key}": 0.5 for split in ("val", "test") for score in SCORES}
HISTORY = {key: ([0, 10, 20], [2.0, 1.0, 0.5]) for key in ("train/loss", "val/fidelity", "val/kl")}


def made_up(
    class_names: tuple[str, ...] = DIGITS,
    n_attributes: int = 5,
    n_samples: int = 12,
    shape: tuple[int, int, int] = (1, 8, 8),
    names: dict[int, str] | None = None,
) -> PageContent:
    """Return content for every section; the head gives the decisions of the samples."""
    draw = torch.Generator().manual_seed(0)
    n_classes = len(class_names)
    weights = torch.randn(n_classes, n_attributes, generator=draw)
    bias = torch.randn(n_classes, generator=draw)
    attributes = torch.rand(n_samples, n_attributes, generator=draw) * 3
    image = picture(torch.rand(shape, generator=draw))
    heat = heat_picture(torch.rand(shape[1:], generator=draw))
    samples = tuple(
        _sample(index, image, row, int((weights @ row + bias).argmax()))
        for index, row in enumerate(attributes)
    )
    return PageContent(
        title="made up",
        pixelated=True,
        shared=_shared(class_names, names or {}, weights, bias),
        sections={
            "overview": OverviewValues(
                scorecard(SCORED, n_attributes, 5.0), charts(SCORED, HISTORY)
            ),
            "attributes": _attributes(n_attributes, Example(3, 0, 1.5, image, heat, image, 2.5)),
            "classes": _classes(weights, typical=(0,) if n_samples else ()),
            "samples": SamplesValues("Made up.", samples),
            "what-if": None,
            "names": NamesValues(HEAD, MAX_LENGTH),
            "run": RunValues("interp train", "a: 1", "{}", (("made", "up"),)),
        },
    )


def _shared(
    class_names: tuple[str, ...], names: dict[int, str], weights: Tensor, bias: Tensor
) -> SharedValues:
    return SharedValues(
        split="test",
        sheets_split="train",
        n=100,
        n_attributes=weights.shape[1],
        tau=5.0,
        min_probability=1e-4,
        class_names=class_names,
        attribute_names=names,
        head=Head(tuple(map(tuple, weights.tolist())), tuple(bias.tolist())),
    )


def _attributes(n_attributes: int, example: Example) -> tuple[AttributeValues, ...]:
    return tuple(
        AttributeValues(
            attribute=j,
            active_share=(j + 1) / (n_attributes + 1),
            largest=3.0,
            examples=(example,) * 3,
            heatmap_method="spatial contributions",
            deletion=0.6,
            deletion_random=0.1,
            sweep=(example.image,) * 3,
            levels=(0.0, 1.0, 2.0),
        )
        for j in range(n_attributes)
    )


def _classes(weights: Tensor, typical: tuple[int, ...]) -> tuple[ClassValues, ...]:
    return tuple(
        ClassValues(
            index=c,
            labelled=10,
            predicted=10,
            interpreted=10,
            fidelity=0.9,
            relevance=tuple(weights[c].clamp(-1, 1).tolist()),
            typical=typical,
            interpreters=((c, 9),),
            labels=((c, 8),),
        )
        for c in range(min(len(weights), 20))
    )


def _sample(index: int, image: str, attributes: Tensor, decided: int) -> Sample:
    return Sample(
        index=index,
        image=image,
        label=decided if index % 3 else 0,
        predictor=decided if index % 2 else 0,
        interpreter=decided,
        sufficient=bool(index % 4),
        unexplained=False,
        attributes=tuple(attributes.tolist()),
        probabilities=((0, 0.75), (1, 0.25)),
        statement="g decides so.",
        reasons=("made up",),
    )
