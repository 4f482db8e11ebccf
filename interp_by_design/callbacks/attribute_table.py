"""Attributes and classes as tables for dashboards."""

from __future__ import annotations

from collections.abc import Sequence

from interp_by_design.callbacks.loggers import Sheet
from interp_by_design.explain import GlobalExplanation
from interp_by_design.terms import TAU, AttributeNames

COLUMNS = ("attribute", "name", "active share", "class", "relevance", "classes")


def attribute_table(
    key: str, found: GlobalExplanation, class_names: Sequence[str], names: AttributeNames
) -> Sheet:
    """Build a table with one row for each attribute.

    A row has the name of the attribute, its active share, the class with its largest global
    relevance, that relevance, and all classes with a relevance above 1/TAU.

    Args:
        key: Key of the table.
        found: The global explanation.
        class_names: Name of each class.
        names: Names of attributes.

    Returns:
        The table.
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
    """Build a table with one row for each class.

    A row has the number of images that g decides as the class, and the global relevance of every
    attribute.

    Args:
        key: Key of the table.
        found: The global explanation.
        class_names: Name of each class.
        names: Names of attributes.

    Returns:
        The table.
    """
    columns = ("class", "images", *(names.label(j) for j in range(found.relevance.shape[1])))
    counted = zip(class_names, found.counts.tolist(), found.relevance.tolist(), strict=True)
    return Sheet(key, columns, tuple((name, count, *row) for name, count, row in counted))
