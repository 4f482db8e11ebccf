"""Stability across seeds: whether runs that differ in the seed alone find the same attributes, whatever their order.

Does not know the runs, where their tables come from, or what the attributes look like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import torch
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from torch import Tensor

from interp_by_design.metrics.predictability import live
from interp_by_design.metrics.scores import Score
from interp_by_design.metrics.table_batches import ROWS, require_finite
from interp_by_design.terms import Attributes, Indices, InterpretationTable, UserError

SEED_SCORES = (  # of several runs together, so that none has them in its own scorecard
    Score(
        "stability_seeds",
        "up",
        "mean correlation of attributes with their best partners in a run of another seed, same images",
    ),
    Score(
        "stability_seeds_random",
        None,
        "the same of random dictionaries over the f of each run: to be well below it",
    ),
)

Correlations = Float[Tensor, "first second"]


def stability_seeds(tables: Sequence[InterpretationTable]) -> float:
    """`mean over pairs of runs (a, b) of max_π 1/J sum_j corr(phi_j of a, phi_π(j) of b)`, π one to one; in -1..1.

    Tables are of the same images, matched by `indices`; the correlation is Pearson's over them. π is the best of all matchings
    (Kuhn, 1955). An attribute that is dead or does not vary correlates with nothing, and counts as 0. Read beside
    `stability_seeds_random`: the best of J partners correlates by chance too. Raises `UserError` for fewer than two tables, for
    tables of other images or of other numbers of attributes, and for a column that holds NaN or an infinity. The house's own.
    """
    _require_comparable(tables)
    matched = [matched_correlations(first, second) for first, second in combinations(tables, 2)]
    return float(torch.stack([pair.mean() for pair in matched]).mean())


def matched_correlations(
    first: InterpretationTable, second: InterpretationTable
) -> Float[Tensor, "attributes"]:
    """`corr(phi_j, phi_π(j))` for each attribute j of `first`, with the π that makes their sum the largest."""
    found = correlations(first, second)
    rows, partners = linear_sum_assignment(found.numpy(), maximize=True)
    return found[torch.from_numpy(rows), torch.from_numpy(partners)]


def correlations(first: InterpretationTable, second: InterpretationTable) -> Correlations:
    """Pearson's correlation of each attribute of `first` with each of `second` over the same images; 0 where one is dead."""
    alive = live(first)[:, None] & live(second)
    means = [table.attributes.mean(dim=0, dtype=torch.float64).cpu() for table in (first, second)]
    products = sum_a = sum_b = torch.zeros((), dtype=torch.float64)
    for a, b in _side_by_side(first, second):
        a, b = a - means[0], b - means[1]
        products, sum_a, sum_b = (
            products + a.T @ b,
            sum_a + a.square().sum(dim=0),
            sum_b + b.square().sum(dim=0),
        )
    return _over(products, (sum_a[:, None] * sum_b).sqrt(), alive)


def _over(
    products: Correlations, size: Correlations, alive: Bool[Tensor, "first second"]
) -> Correlations:
    return torch.where(alive, products / size.where(size > 0, 1), 0.0).clamp(-1, 1)


def _side_by_side(
    first: InterpretationTable, second: InterpretationTable
) -> Iterator[tuple[Attributes, Attributes]]:
    """The attributes of the same images in both, some rows at a time, in double precision."""
    orders = (_order(first.indices), _order(second.indices))
    for rows in zip(*(torch.split(order, ROWS) for order in orders), strict=True):
        a, b = (
            table.attributes[row].detach().to("cpu", torch.float64)
            for table, row in zip((first, second), rows, strict=True)
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
            f"The runs have {', '.join(map(str, counts))} attributes, and those of one cannot be matched one to one with those "
            "of another. Give runs that differ in the seed alone."
        )
    images = [_images(table) for table in tables]
    for other in images[1:]:
        if other.shape != images[0].shape or not torch.equal(other, images[0]):
            raise UserError(
                "The tables are not of the same images: their indices or labels differ. Give runs of one data set, and tables "
                "of one split."
            )
    for table in tables:
        require_finite({"attributes": table.attributes})


def _images(table: InterpretationTable) -> Int[Tensor, "two n"]:
    """Indices in order, and the label of each."""
    order = _order(table.indices)
    return torch.stack([table.indices.cpu()[order].long(), table.labels.cpu()[order].long()])
