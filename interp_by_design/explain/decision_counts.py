"""How often each class is the label, f's decision and g's decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp_by_design.metrics import fidelity_by_class
from interp_by_design.terms import InterpretationTable


@final
@dataclass(frozen=True, eq=False)
class ClassCounts:
    """Counts of images over C classes.

    Args:
        labelled: Images with this label, [C].
        predicted: Images on which f decides this class, [C].
        interpreted: Images on which g decides this class, [C].
        fidelity: Share of the images on which f decides this class where g agrees, [C]; NaN
            where f never decides it.
        labels: Images by f's decision (rows) and label (columns), [C, C].
    """

    labelled: Int[Tensor, "classes"]
    predicted: Int[Tensor, "classes"]
    interpreted: Int[Tensor, "classes"]
    fidelity: Float[Tensor, "classes"]
    labels: Int[Tensor, "classes classes"]

    @property
    def occurs(self) -> Bool[Tensor, "classes"]:
        """Classes that are a label or a decision of at least one image, [C]."""
        return (self.labelled + self.predicted + self.interpreted) > 0


def class_counts(table: InterpretationTable) -> ClassCounts:
    """Count labels and decisions of a table.

    Args:
        table: The interpretation table.

    Returns:
        The counts of each class.
    """
    n_classes = len(table.head_weights)
    f, g = table.predictor.argmax(dim=1), table.interpreter.argmax(dim=1)
    labels = torch.bincount(f * n_classes + table.labels, minlength=n_classes**2)
    return ClassCounts(
        labelled=torch.bincount(table.labels, minlength=n_classes),
        predicted=torch.bincount(f, minlength=n_classes),
        interpreted=torch.bincount(g, minlength=n_classes),
        fidelity=fidelity_by_class(table.predictor, table.interpreter),
        labels=labels.view(n_classes, n_classes),
    )
