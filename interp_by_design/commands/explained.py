"""One image's explanation as plain values: what is printed of it, filed, and sent. Knows nothing of where the image came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interp_by_design.explain.local_explanation import LocalReading
from interp_by_design.terms import AttributeNames


def record(
    reading: LocalReading, class_names: Sequence[str], names: AttributeNames
) -> dict[str, Any]:
    """The decisions of f and g with their probabilities, the statement, and the attributes that are shown, the largest first."""
    explained = reading.explanation
    f, g = explained.predictor_class, explained.interpreter_class
    return {
        "predictor": {
            "class": class_names[f],
            "probability": float(explained.predictor_probabilities[f]),
        },
        "interpreter": {
            "class": class_names[g],
            "probability": float(explained.interpreter_probabilities[g]),
        },
        "agrees": explained.agrees,
        "sufficient": reading.sufficient,
        "statement": reading.statement(class_names),
        "tau": reading.tau,
        "shown": [
            {
                "attribute": j,
                "name": names.get(j),
                "label": names.label(j),
                "relevance": float(explained.relevance[j]),
                "contribution": float(explained.contributions[j]),
                "activation": float(reading.attributes[j]),
            }
            for j in explained.shown(reading.tau)
        ],
    }


def plain(text: str) -> str:
    """`text` for a terminal: what a file's name or a class's could do to it is left out."""
    return "".join(character if character.isprintable() else "�" for character in text)
