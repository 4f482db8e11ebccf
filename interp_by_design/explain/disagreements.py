"""Where f and g disagree, how sure each of them is there, and which classes it concerns.

Does not know what either of them looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp_by_design.terms import InterpretationTable, Logits

SURE_PREDICTOR, SURE_INTERPRETER = (
    0.1,
    0.07,
)  # nats; below them f and g are sure, as FLINT's authors had it

ROWS = 4096  # of a table, at once


@final
@dataclass(frozen=True, eq=False)
class Disagreement:
    """f against g over N images.

    confusion: images by what f (rows) and g (columns) decide, [C, C].
    rows: of the table, ascending, where they disagree.
    counts: images by four questions in this order, 0 for no and 1 for yes: is f sure, is g sure, do they agree, is f right.
    predictor_entropy, interpreter_entropy: of the softmaxes, [N] in nats.
    """

    confusion: Int[Tensor, "classes classes"]
    rows: Int[Tensor, "m"]
    counts: Int[Tensor, "2 2 2 2"]
    predictor_entropy: Float[Tensor, "n"]
    interpreter_entropy: Float[Tensor, "n"]


def disagreement(table: InterpretationTable) -> Disagreement:
    """Disagreement of f and g on `table`. f is sure where H(f) < 0.1 nats, g where H(g) < 0.07.

    Source: the bounds and the four questions are those of the disagreement analysis in FLINT's official code.
    """
    f, g = table.predictor.argmax(dim=1), table.interpreter.argmax(dim=1)
    entropies = entropy(table.predictor), entropy(table.interpreter)
    n_classes = table.head_weights.shape[0]
    confusion = torch.bincount(f * n_classes + g, minlength=n_classes**2).view(n_classes, n_classes)
    answers = [
        entropies[0] < SURE_PREDICTOR,
        entropies[1] < SURE_INTERPRETER,
        f == g,
        f == table.labels,
    ]
    return Disagreement(confusion, (f != g).nonzero()[:, 0], _counts(answers), *entropies)


def entropy(logits: Logits) -> Float[Tensor, "n"]:
    """`H = - sum_c p_c log p_c` of the softmax of each row, in nats."""
    return torch.cat([_entropy(part) for part in torch.split(logits, ROWS)])


def _entropy(logits: Logits) -> Tensor:
    found: Tensor = torch.special.entr(logits.double().softmax(dim=1)).sum(dim=1).float()
    return found


def _counts(answers: list[Bool[Tensor, "n"]]) -> Tensor:
    place = sum(answer.long() << (3 - question) for question, answer in enumerate(answers))
    return torch.bincount(torch.as_tensor(place), minlength=16).view(2, 2, 2, 2)
