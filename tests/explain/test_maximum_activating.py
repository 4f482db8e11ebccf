"""Tests of maximum activating samples against a full sort."""

from __future__ import annotations

import pytest
import torch

from interp_by_design.explain import MaximumActivating, TopSamples, maximum_activating
from interp_by_design.terms import InterpretationTable, UserError
from tests.explain.made_up import made_up


def sorted_samples(
    table: InterpretationTable, j: int, length: int, c: int | None = None
) -> list[int]:
    found = [
        (-value, index)
        for value, index, label in zip(
            table.attributes[:, j].tolist(),
            table.indices.tolist(),
            table.labels.tolist(),
            strict=True,
        )
        if value > 0 and (c is None or label == c)
    ]
    return [index for _, index in sorted(found)[:length]]


def same(one: TopSamples, other: TopSamples) -> bool:
    names = ("values", "indices", "class_values", "class_indices")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)


def test_samples_match_a_full_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up()

    monkeypatch.setattr("interp_by_design.metrics.table_batches.BATCH_ROWS", 37)
    top = maximum_activating(table, length=5)

    for j in range(6):
        assert top.of(j) == sorted_samples(table, j, 5)
        for c in range(4):
            assert top.of(j, c) == sorted_samples(table, j, 5, c)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_ties_do_not_depend_on_order_or_batches(size: int) -> None:
    table = made_up()
    order = torch.randperm(len(table), generator=torch.Generator().manual_seed(1))
    parts = [MaximumActivating(6, 4, length=9) for _ in range(2)]

    for i, rows in enumerate(torch.split(order, size)):
        parts[i % 2].update(table.attributes[rows], table.labels[rows], table.indices[rows])
    parts[1].merge(parts[0])

    assert same(parts[1].top(), maximum_activating(table, length=9))


def test_repeated_image_counts_once() -> None:
    table = made_up()
    kept = MaximumActivating(6, 4)
    for _ in range(2):
        kept.update(table.attributes, table.labels, table.indices)

    assert same(kept.top(), maximum_activating(table))


def test_padding_of_a_batch_is_ignored() -> None:
    rows = torch.tensor([0, 1, 1, 1, 2, 0])
    table = made_up()
    kept = MaximumActivating(6, 4, length=3)
    kept.update(table.attributes[rows], table.labels[rows], table.indices[rows])

    for j in range(6):
        three = list(
            zip((-table.attributes[:3, j]).tolist(), table.indices[:3].tolist(), strict=True)
        )
        assert kept.top().of(j) == [index for value, index in sorted(three) if value < 0]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_larger_of_two_values_of_an_image_counts(order: tuple[int, int]) -> None:
    parts = []
    for value in (1.0, 1.5):
        parts.append(MaximumActivating(1, 1, length=2))
        parts[-1].update(torch.tensor([[value], [1.2]]), torch.tensor([0, 0]), torch.tensor([5, 3]))

    parts[order[0]].merge(parts[order[1]])

    assert parts[order[0]].top().of(0) == parts[order[0]].top().of(0, 0) == [5, 3]
    assert parts[order[0]].top().values.tolist() == [[1.5, pytest.approx(1.2)]]


def test_nan_is_no_sample() -> None:
    kept = MaximumActivating(1, 2, length=2)
    kept.update(torch.tensor([[float("nan")], [1.0]]), torch.tensor([0, 0]), torch.tensor([0, 1]))
    kept.update(torch.zeros(0, 1), torch.zeros(0).long(), torch.zeros(0).long())

    assert kept.top().of(0) == kept.top().of(0, 0) == [1]
    assert kept.top().of(0, 1) == []


def test_inactive_attribute_has_no_samples() -> None:
    kept = MaximumActivating(2, 1, length=3)
    kept.update(torch.tensor([[0.0, 1.0], [0.0, 0.0]]), torch.tensor([0, 0]), torch.tensor([4, 7]))

    assert kept.top().of(0) == []
    assert kept.top().of(1) == kept.top().of(1, 0) == [4]


def test_classes_can_be_decisions() -> None:
    table = made_up()

    by_g = maximum_activating(table, by="interpreter")

    decided = dict(
        zip(table.indices.tolist(), table.interpreter.argmax(dim=1).tolist(), strict=True)
    )
    assert all(decided[index] == c for c in range(4) for j in range(6) for index in by_g.of(j, c))


def test_invalid_arguments_are_refused() -> None:
    with pytest.raises(UserError, match="length"):
        MaximumActivating(2, 2, length=0)
    with pytest.raises(UserError, match="cannot be merged"):
        MaximumActivating(2, 2).merge(MaximumActivating(3, 2))
    with pytest.raises(UserError, match="must be within 0 to 1"):
        MaximumActivating(1, 2).update(torch.ones(1, 1), torch.tensor([2]), torch.tensor([0]))
    with pytest.raises(UserError, match="No class 'lable'"):
        maximum_activating(made_up(), by="lable")
