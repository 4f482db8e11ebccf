"""Stability across seeds: a literal reference, planted permutations, and refused tables."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import pytest
import torch

from interp_by_design.metrics.seed_stability import (
    attribute_correlations,
    matched_correlations,
    stability_seeds,
)
from interp_by_design.terms import InterpretationTable, UserError
from tests.metrics.tables import table_of

N = 60


def drawn(seed: int, n_attributes: int = 4, n: int = N) -> InterpretationTable:
    draw = torch.Generator().manual_seed(seed)
    phi = torch.rand(n, n_attributes, generator=draw) * (
        torch.rand(n, n_attributes, generator=draw) > 0.4
    )
    return table_of(
        phi.tolist(),
        torch.randn(3, n_attributes, generator=draw).tolist(),
        labels=[float(i % 3) for i in range(n)],
    )


def with_attributes(table: InterpretationTable, attributes: torch.Tensor) -> InterpretationTable:
    return replace(table, attributes=attributes)


def pearson(x: list[float], y: list[float]) -> float:
    mx, my = math.fsum(x) / len(x), math.fsum(y) / len(y)
    top = math.fsum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    below = math.sqrt(math.fsum((a - mx) ** 2 for a in x) * math.fsum((b - my) ** 2 for b in y))
    return top / below if below else 0.0


def reference(tables: list[InterpretationTable]) -> float:
    """Try every one-to-one matching."""
    found = []
    for a in range(len(tables)):
        for b in range(a):
            columns = [
                [
                    [
                        float(table.attributes[table.indices.tolist().index(i), j])
                        for i in range(len(table))
                    ]
                    for j in range(4)
                ]
                for table in (tables[a], tables[b])
            ]
            table = [[pearson(x, y) for y in columns[1]] for x in columns[0]]
            found.append(
                max(sum(table[j][pi[j]] for j in range(4)) / 4 for pi in permutations(range(4)))
            )
    return sum(found) / len(found)


def test_it_equals_the_best_of_all_matchings() -> None:
    tables = [drawn(seed) for seed in range(3)]
    assert stability_seeds(tables) == pytest.approx(reference(tables), abs=1e-6)


def test_renamed_and_rescaled_attributes_are_the_same_attributes() -> None:
    first = drawn(0)
    other = with_attributes(first, 7 * first.attributes[:, [2, 0, 3, 1]] + 1)
    assert stability_seeds([first, other]) == pytest.approx(1.0, abs=1e-6)


def test_images_are_matched_by_their_indices() -> None:
    first, second = drawn(0), drawn(1)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(5))
    moved = replace(
        second,
        attributes=second.attributes[order],
        indices=second.indices[order],
        labels=second.labels[order],
    )
    assert stability_seeds([first, moved]) == pytest.approx(
        stability_seeds([first, second]), abs=1e-9
    )
    assert stability_seeds([second, moved]) == pytest.approx(1.0, abs=1e-6)


def test_dead_and_constant_attributes_count_as_nothing_in_common() -> None:
    first = drawn(0)
    attributes = first.attributes.clone()
    attributes[:, 1], attributes[:, 3] = 0.0, 2.0
    partly = with_attributes(first, attributes)
    assert stability_seeds([partly, partly]) == pytest.approx(0.5, abs=1e-6)
    assert matched_correlations(partly, partly).tolist() == pytest.approx(
        [1.0, 0.0, 1.0, 0.0], abs=1e-6
    )


def test_an_attribute_on_a_handful_of_images_is_dead_however_well_it_correlates() -> None:
    first = drawn(0, n=3000)
    attributes = first.attributes.clone()
    attributes[:, 0] = 0.0
    attributes[:2, 0] = 1.0  # of 3,000: less than 0.1 %
    rare = with_attributes(first, attributes)
    assert attribute_correlations(rare, rare)[0].tolist() == [0.0] * 4
    assert stability_seeds([rare, rare]) == pytest.approx(0.75, abs=1e-6)


def test_opposites_are_no_partners() -> None:
    up = torch.linspace(0.1, 1, N)
    first = table_of([[float(x)] for x in up], [[1.0], [0.0]])
    assert stability_seeds(
        [first, with_attributes(first, 1.1 - first.attributes)]
    ) == pytest.approx(-1.0, abs=1e-6)


def test_rows_beyond_one_batch_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = stability_seeds([drawn(0), drawn(1)])
    monkeypatch.setattr("interp_by_design.metrics.table_batches.BATCH_ROWS", 7)
    assert stability_seeds([drawn(0), drawn(1)]) == pytest.approx(whole, abs=1e-9)


def test_what_cannot_be_compared_is_refused() -> None:
    first = drawn(0)
    with pytest.raises(UserError, match="two tables or more, not 1"):
        stability_seeds([first])
    with pytest.raises(UserError, match="4, 5 attributes"):
        stability_seeds([first, drawn(1, 5)])
    with pytest.raises(UserError, match="not of the same images"):
        stability_seeds([first, drawn(1, n=N - 1)])
    with pytest.raises(UserError, match="not of the same images"):
        stability_seeds([first, replace(first, labels=(first.labels + 1) % 3)])
    broken = first.attributes.clone()
    broken[3, 2] = math.nan
    with pytest.raises(UserError, match="'attributes' holds NaN"):
        stability_seeds([first, with_attributes(first, broken)])
