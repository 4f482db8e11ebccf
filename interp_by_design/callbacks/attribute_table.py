"""All attributes as a table for dashboards: how often each is active, and what it speaks for. Computes none of it."""

from __future__ import annotations

from collections.abc import Sequence

from interp_by_design.callbacks.loggers import Sheet
from interp_by_design.explain import GlobalExplanation
from interp_by_design.terms import TAU, AttributeNames

COLUMNS = ("attribute", "name", "active share", "class", "relevance", "classes")


def attribute_table(
    key: str, found: GlobalExplanation, class_names: Sequence[str], names: AttributeNames
) -> Sheet:
    """A row for each attribute: its name where it has one, its active share, and what it speaks for.

    That is the class with the largest global relevance, that relevance, and all classes with more than 1/TAU.
    """
    best, classes = found.relevance.max(dim=0)
    rows = (
        (
            f"φ{j}",
            names.get(j),
            float(found.active_share[j]),
            class_names[int(classes[j])] if best[j] > 0 else None,
            float(best[j]),
            ", ".join(class_names[c] for c in found.classes_of(j, TAU)),
        )
        for j in range(len(found.active_share))
    )
    return Sheet(key, COLUMNS, tuple(rows))


def relevance_table(
    key: str, found: GlobalExplanation, class_names: Sequence[str], names: AttributeNames
) -> Sheet:
    """A row for each class: the images that g decides as it, and the global relevance of every attribute."""
    columns = ("class", "images", *(names.label(j) for j in range(found.relevance.shape[1])))
    counted = zip(class_names, found.counts.tolist(), found.relevance.tolist(), strict=True)
    return Sheet(key, columns, tuple((name, count, *row) for name, count, row in counted))
