"""Stability of attributes across seeds, in any order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from torch import Tensor

from interp_by_design.metrics.scores import Score
from interp_by_design.metrics.table_batches import require_finite, row_slices
from interp_by_design.metrics.usage import live_attributes
from interp_by_design.statistics import correlation_from_moments
from interp_by_design.terms import Attributes, Indices, InterpretationTable, UserError

SEED_SCORES = (  # of several runs together, so that no run has them in its own scorecard
    Score(
        "stability_seeds",
        "up",
        "mean correlation of attributes with their best partners in a run of another seed, "
        "same images",
    ),
    Score(
        "stability_seeds_random",
        None,
        "the same of random dictionaries over the f of each run: to be well below it",
    ),
)

Correlations = Float[Tensor, "first second"]


def stability_seeds(tables: Sequence[InterpretationTable]) -> float:
    """Compute how alike the attributes of runs are that differ in the seed alone.

    `mean over pairs of runs (a, b) of max_π 1/J sum_j corr(phi_j of a, phi_π(j) of b)`, π one to
    one. An attribute that is dead or does not vary correlates with nothing, and counts as 0. The
    best of J partners correlates by chance too: compare with `stability_seeds_random`.

    Args:
        tables: A table of each run, of the same images, which are matched by their indices.

    Returns:
        The mean correlation with the best partner, in -1..1.

    Raises:
        UserError: There are fewer than two tables, they are of different images or of different
            numbers of attributes, or a number is not finite.

    Source: original to this project; the best matching is the Hungarian method's (Kuhn, 1955).
    """
    _require_comparable(tables)
    matched = [matched_correlations(first, second) for first, second in combinations(tables, 2)]
    return float(torch.stack([pair.mean() for pair in matched]).mean())


def matched_correlations(
    first: InterpretationTable, second: InterpretationTable
) -> Float[Tensor, "attributes"]:
    """Compute `corr(phi_j, phi_π(j))` with the one-to-one π that makes their sum the largest.

    Args:
        first: The table of one run.
        second: The table of another, of the same images.

    Returns:
        The correlation of each attribute of `first` with its partner, [J], in -1..1.
    """
    found = attribute_correlations(first, second)
    rows, partners = linear_sum_assignment(found.numpy(), maximize=True)
    return found[torch.from_numpy(rows), torch.from_numpy(partners)]


def attribute_correlations(first: InterpretationTable, second: InterpretationTable) -> Correlations:
    """Compute Pearson's correlation of each attribute of one table with each of another.

    Args:
        first: The table of one run, with J attributes.
        second: The table of another, of the same images, with K attributes.

    Returns:
        The correlations, [J, K], in -1..1; 0 where either attribute is dead or does not vary.
    """
    live = live_attributes(first)[:, None] & live_attributes(second)
    means = [table.attributes.mean(dim=0, dtype=torch.float64).cpu() for table in (first, second)]
    products = squares_a = squares_b = torch.zeros((), dtype=torch.float64)
    for a, b in _matched_rows(first, second):
        a, b = a - means[0], b - means[1]
        products = products + a.T @ b
        squares_a = squares_a + a.square().sum(dim=0)
        squares_b = squares_b + b.square().sum(dim=0)
    found = correlation_from_moments(
        products, squares_a[:, None].expand_as(products), squares_b.expand_as(products)
    )
    return found.where(live & found.isfinite(), 0.0).clamp(-1, 1)


def _matched_rows(
    first: InterpretationTable, second: InterpretationTable
) -> Iterator[tuple[Attributes, Attributes]]:
    """Return the attributes of the same images in both, batch by batch, in double precision."""
    orders = (_order(first.indices), _order(second.indices))
    for rows in row_slices(len(first)):
        a, b = (
            table.attributes[order[rows]].detach().to("cpu", torch.float64)
            for table, order in zip((first, second), orders, strict=True)
        )
        yield a, b


def _order(indices: Indices) -> Int[Tensor, "n"]:
    return indices.cpu().argsort()


def _require_comparable(tables: Sequence[InterpretationTable]) -> None:
    if len(tables) < 2:
        raise UserError(
            f"Stability across seeds compares runs: it takes two tables or more, not {len(tables)}."
        )
    counts = [table.attributes.shape[1] for table in tables]
    if len(set(counts)) > 1:
        raise UserError(
            f"The runs have {', '.join(map(str, counts))} attributes, and those of one cannot be "
            "matched one to one with those of another. Give runs that differ in the seed alone."
        )
    images = [_images(table) for table in tables]
    for other in images[1:]:
        if other.shape != images[0].shape or not torch.equal(other, images[0]):
            raise UserError(
                "The tables are not of the same images: their indices or labels differ. "
                "Give runs of one data set, and tables of one split."
            )
    for table in tables:
        require_finite({"attributes": table.attributes})


def _images(table: InterpretationTable) -> Int[Tensor, "two n"]:
    """Return the indices in order, and the label of each."""
    order = _order(table.indices)
    return torch.stack([table.indices.cpu()[order].long(), table.labels.cpu()[order].long()])
