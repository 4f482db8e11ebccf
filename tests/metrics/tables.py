"""Interpretation tables written out, and one of a relabelled answer."""

from __future__ import annotations

import torch
from torch import Tensor

from interp_by_design.terms import InterpretationTable
from tests.reference.scorecard import Columns

Rows = list[list[float]]


def table_of(
    phi: Rows,
    weights: Rows,
    bias: list[float] | None = None,
    f: Rows | None = None,
    g: Rows | None = None,
    **columns: list[float],
) -> InterpretationTable:
    """Return a table of these attributes and weights.

    Where they are not given, g is h(Φ), f is g, and the labels are f's decisions.
    """
    attributes, head = torch.tensor(phi), torch.tensor(weights)
    offset = torch.tensor(bias) if bias else torch.zeros(len(weights))
    interpreter = torch.tensor(g) if g else attributes @ head.T + offset
    predictor = torch.tensor(f) if f else interpreter
    ones = [1.0] * len(phi)
    return InterpretationTable(
        indices=torch.arange(len(phi)),
        labels=torch.tensor(columns["labels"]).long()
        if "labels" in columns
        else predictor.argmax(dim=1),
        predictor=predictor,
        interpreter=interpreter,
        attributes=attributes,
        reconstruction_error=torch.tensor(columns.get("error", ones)),
        class_mean_error=torch.tensor(columns.get("class_mean_error", ones)),
        head_weights=head,
        head_bias=offset,
    )


def of_logits(f: Rows, g: Rows, labels: list[float]) -> InterpretationTable:
    """Return a table in which only the logits and the labels matter."""
    return table_of([[1.0]] * len(f), [[1.0]] * len(f[0]), f=f, g=g, labels=labels)


def lists(table: InterpretationTable) -> Columns:
    """Return the columns as Python numbers, for the reference."""
    return Columns(
        labels=table.labels.tolist(),
        f=table.predictor.tolist(),
        g=table.interpreter.tolist(),
        phi=table.attributes.tolist(),
        error=table.reconstruction_error.tolist(),
        class_mean_error=table.class_mean_error.tolist(),
        w=table.head_weights.tolist(),
        b=table.head_bias.tolist(),
    )


def realistic_logits(n: int, n_classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return logits of a classifier that is right nine times in ten, and labels.

    It is more confident on some samples than on others.
    """
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(n_classes, (n,), generator=draw)
    confidence = 25 * torch.rand(n, 1, generator=draw)
    likeness = (
        torch.eye(n_classes)[labels]
        + 0.5 * torch.rand(n, 1, generator=draw) * torch.eye(n_classes)[(labels + 1) % n_classes]
    )
    return 1.5 * torch.randn(n, n_classes, generator=draw) + confidence * likeness, labels


def relabelled(
    n: int, seed: int, n_classes: int = 10, n_attributes: int = 25
) -> InterpretationTable:
    """Return the table of a cheat, whose decoder returns class means.

    Φ = softmax(50 · logits) R, R >= 0 fixed and random, W its pseudo-inverse.
    """
    logits, labels = realistic_logits(n, n_classes, seed)
    codes = torch.rand(n_classes, n_attributes, generator=torch.Generator().manual_seed(0)) ** 4
    weights = torch.linalg.pinv(codes).T
    attributes = (50 * logits).softmax(dim=1) @ codes
    class_mean_error = 0.05 + 0.01 * torch.rand(n, generator=torch.Generator().manual_seed(seed))
    return InterpretationTable(
        indices=torch.arange(n),
        labels=labels,
        predictor=logits,
        interpreter=attributes @ weights.T,
        attributes=attributes,
        reconstruction_error=class_mean_error,
        class_mean_error=class_mean_error,
        head_weights=weights,
        head_bias=torch.zeros(n_classes),
    )
