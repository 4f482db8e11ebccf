"""Figures of the FLINT paper: Table 1 and the conciseness curves, the only numbers typed by hand.

Shares are 0..1, each with the paper's own deviation, over an unknown number of seeds. The paper's
CIFAR-10 is not compressed, and its QuickDraw has ten classes of the authors' choice: neither is the
exact task that is measured here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Figure(NamedTuple):
    """A published figure.

    Args:
        mean: the mean.
        deviation: its deviation; None where none is published.
    """

    mean: float
    deviation: float | None = None


PUBLISHED: Mapping[str, Mapping[str, Figure]] = {
    "mnist": {
        "bare_accuracy": Figure(0.989, 0.001),
        "predictor_accuracy": Figure(0.989, 0.002),
        "interpreter_accuracy": Figure(0.983, 0.002),
        "fidelity": Figure(0.987, 0.001),
        "conciseness@1.5": Figure(1.0),
        "conciseness@5": Figure(1.2),
    },
    "fashion_mnist": {
        "bare_accuracy": Figure(0.904, 0.001),
        "predictor_accuracy": Figure(0.905, 0.002),
        "interpreter_accuracy": Figure(0.868, 0.004),
        "fidelity": Figure(0.915, 0.001),
        "conciseness@1.5": Figure(1.4),
        "conciseness@5": Figure(3.0),
    },
    "quickdraw": {
        "bare_accuracy": Figure(0.853, 0.002),
        "predictor_accuracy": Figure(0.857, 0.003),
        "interpreter_accuracy": Figure(0.854, 0.001),
        "fidelity": Figure(0.908, 0.004),
        "conciseness@1.5": Figure(1.15),
        "conciseness@5": Figure(1.9),
    },
    "cifar10_jpeg": {
        "bare_accuracy": Figure(0.847, 0.003),
        "predictor_accuracy": Figure(0.845, 0.002),
        "interpreter_accuracy": Figure(0.840, 0.004),
        "fidelity": Figure(0.932, 0.002),
        "conciseness@1.5": Figure(1.3),
        "conciseness@5": Figure(3.7),
    },
}
