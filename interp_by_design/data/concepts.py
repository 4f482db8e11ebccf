"""The concepts of rendered images, from their records. Knows nothing of who learns from them."""

from __future__ import annotations

import torch
from torch import Tensor

from interp_by_design.data.records import KINDS, Choice, Records
from interp_by_design.terms import Concepts

NAMED = (
    "shape",
    "texture",
    "distractor",
)  # the factors whose values have names; a shortcut is no concept that one would teach


def concepts_of(records: Records) -> Concepts:
    """A concept for each value of each factor whose values have names, such as "texture is striped".

    >>> from interp_by_design.data.records import draw
    >>> concepts_of(draw(1, seed=0).changed("texture", "striped")).names[4:7]
    ('texture is plain', 'texture is striped', 'texture is checked')
    """
    names: list[str] = []
    columns: list[Tensor] = []
    for factor, column in records.columns().items():
        kind = KINDS[factor]
        if factor in NAMED and isinstance(kind, Choice):
            names += [f"{factor} is {value}" for value in kind.names]
            columns += [column == position for position in range(len(kind.names))]
    return Concepts(tuple(names), torch.stack(columns, dim=1))
