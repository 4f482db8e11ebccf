"""Synthetic interpretation table, with ties and with samples without active attributes."""

from __future__ import annotations

import torch

from interp_by_design.terms import InterpretationTable


def made_up(
    n: int = 300, n_classes: int = 4, n_attributes: int = 6, seed: int = 0, bias: float = 0.0
) -> InterpretationTable:
    draw = torch.Generator().manual_seed(seed)
    attributes = (torch.randint(-3, 5, (n, n_attributes), generator=draw)).clamp(
        min=0
    ).float() / 2  # many ties
    attributes[::17] = 0
    weights = torch.randn(n_classes, n_attributes, generator=draw)
    offset = bias * torch.randn(n_classes, generator=draw)
    interpreter = attributes @ weights.T + offset
    return InterpretationTable(
        indices=torch.randperm(n, generator=draw) * 3,
        labels=torch.randint(n_classes, (n,), generator=draw),
        predictor=interpreter + torch.randn(n, n_classes, generator=draw),
        interpreter=interpreter,
        attributes=attributes,
        reconstruction_error=torch.rand(n, generator=draw),
        class_mean_error=torch.rand(n, generator=draw),
        head_weights=weights,
        head_bias=offset,
    )
