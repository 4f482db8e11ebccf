"""Explanations as the page's plain values: sheets, classes and samples. Computes no explanation, and knows nothing of HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from interp_by_design.data.split import Split
from interp_by_design.explain import (
    AttributeSheet,
    Disagreement,
    GlobalExplanation,
    LocalColumns,
    read_locally,
)
from interp_by_design.metrics import fidelity_by_class
from interp_by_design.report.page.content import (
    AttributePage,
    ClassPage,
    Example,
    Head,
    Pairs,
    Sample,
    Spread,
)
from interp_by_design.report.page.pictures import heat_picture, picture
from interp_by_design.report.page.sample_selection import Choice
from interp_by_design.terms import InterpretationTable

SPREAD, SPREAD_SIDE = 12, 96  # images of an attribute, strong and weak, and their longest side
LEAST = 1e-4  # probabilities of f that a page does not show


def head_of(table: InterpretationTable) -> Head:
    """h, to the last digit of its float32."""
    return Head(tuple(exact(row) for row in table.head_weights), exact(table.head_bias))


def attribute_page(
    sheet: AttributeSheet,
    active_share: float,
    top: float,
    side: int,
    spread: tuple[Spread, ...] = (),
) -> AttributePage:
    """A sheet, with its images no longer than `side`."""
    return AttributePage(
        attribute=sheet.attribute,
        active_share=rounded(active_share),
        top=rounded(top),
        examples=tuple(_example(sheet, place, side) for place in range(len(sheet.images))),
        heatmap_method=sheet.heatmap_method,
        deletion=finite(sheet.deletion),
        deletion_random=finite(sheet.deletion_random),
        sweep=tuple(picture(image, side) for image in sheet.sweep),
        levels=tuple(rounded(level) for level in sheet.levels.tolist()),
        spread=spread,
    )


def spread_of(
    table: InterpretationTable, split: Split, attribute: int, side: int
) -> tuple[Spread, ...]:
    """Images of `split` where the attribute is active, evenly spaced by rank from the strongest to the weakest.

    The few strongest share much by chance; what the weak ones share too is what the attribute responds to.
    """
    values, order = table.attributes[:, attribute].sort(descending=True, stable=True)
    active = order[: int((values > 0).sum())]
    places = torch.linspace(0, max(0, len(active) - 1), min(SPREAD, len(active))).round().long()
    rows = active[places]
    batch = split.batch(table.indices[rows].clone())
    return tuple(
        Spread(
            int(index),
            int(label),
            rounded(float(table.attributes[row, attribute])),
            picture(image, min(side, SPREAD_SIDE)),
        )
        for image, label, index, row in zip(*batch, rows, strict=True)
    )


def class_pages(
    table: InterpretationTable,
    explained: GlobalExplanation,
    disagreement: Disagreement,
    choice: Choice,
) -> tuple[ClassPage, ...]:
    """The classes that are the label of an image, or decided on one, in their order."""
    n_classes = len(table.head_weights)
    predicted, interpreted = (
        logits.argmax(dim=1) for logits in (table.predictor, table.interpreter)
    )
    labelled, f_decides, g_decides = (
        _counts(column, n_classes) for column in (table.labels, predicted, interpreted)
    )
    labels = torch.bincount(predicted * n_classes + table.labels, minlength=n_classes**2).view(
        n_classes, n_classes
    )
    fidelity = fidelity_by_class(table.predictor, table.interpreter)
    places = {row: place for place, row in enumerate(choice.rows)}
    return tuple(
        ClassPage(
            index=c,
            labelled=labelled[c],
            predicted=f_decides[c],
            interpreted=g_decides[c],
            fidelity=finite(float(fidelity[c])),
            relevance=tuple(rounded(r) for r in explained.relevance[c].tolist())
            if g_decides[c]
            else (),
            typical=tuple(places[row] for row in choice.typical.get(c, ())),
            interpreters=_pairs(disagreement.confusion[c]),
            labels=_pairs(labels[c]),
        )
        for c in range(n_classes)
        if labelled[c] or f_decides[c] or g_decides[c]
    )


def samples(
    table: InterpretationTable,
    columns: LocalColumns,
    split: Split,
    choice: Choice,
    class_names: Sequence[str],
    side: int,
) -> tuple[Sample, ...]:
    """The chosen images, in the order of the split."""

    def sample(row: int) -> Sample:
        image = split.batch(table.indices[row : row + 1].clone()).images[0]
        statement = read_locally(table, row, columns.tau).statement(class_names)
        return _sample(table, columns, row, picture(image, side), statement, choice.reasons[row])

    return tuple(map(sample, choice.rows))


def exact(values: Tensor) -> tuple[float, ...]:
    """float32 numbers in as few digits as tell them from their neighbours."""
    return tuple(float(str(value)) for value in values.detach().cpu().float().numpy())


def rounded(value: float, digits: int = 5) -> float:
    """A number to be looked at."""
    return float(f"{value:.{digits}g}")


def finite(value: float) -> float | None:
    """None for a number that is not defined."""
    return rounded(value) if math.isfinite(value) else None


def _example(sheet: AttributeSheet, place: int, side: int) -> Example:
    return Example(
        index=int(sheet.indices[place]),
        label=int(sheet.labels[place]),
        value=rounded(float(sheet.values[place])),
        image=picture(sheet.images[place], side),
        heat=heat_picture(sheet.heatmaps[place]),
        maximized=None if sheet.maximized is None else picture(sheet.maximized[place], side),
        maximized_value=None
        if sheet.maximized_values is None
        else rounded(float(sheet.maximized_values[place])),
    )


def _sample(
    table: InterpretationTable,
    columns: LocalColumns,
    row: int,
    image: str,
    statement: str,
    chosen: tuple[str, ...],
) -> Sample:
    return Sample(
        index=int(table.indices[row]),
        image=image,
        label=int(table.labels[row]),
        predictor=int(columns.predictor_class[row]),
        interpreter=int(columns.interpreter_class[row]),
        sufficient=bool(columns.sufficient[row]),
        unexplained=bool(columns.unexplained[row]),
        attributes=exact(table.attributes[row]),
        probabilities=_pairs(table.predictor[row].double().softmax(dim=0), LEAST),
        statement=statement,
        chosen=chosen,
    )


def _counts(classes: Tensor, n_classes: int) -> list[int]:
    counts: list[int] = torch.bincount(classes, minlength=n_classes).tolist()
    return counts


def _pairs(values: Tensor, least: float = 0) -> Pairs:
    """(class, value) of each value above `least`, the largest first."""
    order = values.argsort(descending=True, stable=True).tolist()
    return tuple((c, rounded(value, 7)) for c in order if (value := float(values[c])) > least)
