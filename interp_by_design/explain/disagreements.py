"""Disagreement of f and g, with their certainty and the classes concerned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp_by_design.metrics.table_batches import row_slices
from interp_by_design.terms import InterpretationTable, Logits

# Entropies in nats below which f and g are sure, those of FLINT's authors.
MAX_SURE_PREDICTOR = 0.1
MAX_SURE_INTERPRETER = 0.07


@final
@dataclass(frozen=True, eq=False)
class Disagreement:
    """f against g over n images.

    Args:
        confusion: Counts of images by the class of f (rows) and g (columns), [C, C].
        rows: Rows of the table where they disagree, ascending.
        counts: Counts of images by four answers, 0 for no and 1 for yes: is f sure, is g sure, do
            they agree, is f right.
        predictor_entropy: Entropy of f's softmax in nats, [n].
        interpreter_entropy: Entropy of g's softmax in nats, [n].
    """

    confusion: Int[Tensor, "classes classes"]
    rows: Int[Tensor, "m"]
    counts: Int[Tensor, "2 2 2 2"]
    predictor_entropy: Float[Tensor, "n"]
    interpreter_entropy: Float[Tensor, "n"]


def disagreement(table: InterpretationTable) -> Disagreement:
    """Compare f and g on a table. f is sure where H(f) < 0.1 nats, g where H(g) < 0.07.

    Source: bounds and questions of the disagreement analysis in FLINT's official code.

    Args:
        table: The table.

    Returns:
        Where, and how certainly, they disagree.
    """
    f, g = table.predictor.argmax(dim=1), table.interpreter.argmax(dim=1)
    entropies = entropy(table.predictor), entropy(table.interpreter)
    n_classes = table.head_weights.shape[0]
    confusion = torch.bincount(f * n_classes + g, minlength=n_classes**2).view(n_classes, n_classes)
    answers = [
        entropies[0] < MAX_SURE_PREDICTOR,
        entropies[1] < MAX_SURE_INTERPRETER,
        f == g,
        f == table.labels,
    ]
    return Disagreement(confusion, (f != g).nonzero()[:, 0], _counts(answers), *entropies)


def entropy(logits: Logits) -> Float[Tensor, "n"]:
    """Compute `H = - sum_c p_c log p_c` of the softmax of each row.

    Args:
        logits: [n, C].

    Returns:
        The entropy in nats, [n].

    >>> round(float(entropy(torch.zeros(1, 4))), 4)
    1.3863
    """
    return torch.cat([_entropy(logits[rows]) for rows in row_slices(len(logits))])


def _entropy(logits: Logits) -> Tensor:
    found: Tensor = torch.special.entr(logits.double().softmax(dim=1)).sum(dim=1).float()
    return found


def _counts(answers: list[Bool[Tensor, "n"]]) -> Tensor:
    place = sum(answer.long() << (3 - question) for question, answer in enumerate(answers))
    return torch.bincount(torch.as_tensor(place), minlength=16).view(2, 2, 2, 2)
