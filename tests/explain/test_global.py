"""Tests of global explanations against loops."""

from __future__ import annotations

import pytest
import torch

from interp_by_design.explain import GlobalExplanation, explain_globally
from interp_by_design.terms import UserError
from tests.explain.made_up import made_up
from tests.reference.relevance import global_relevance, local_relevance, pairs


def test_relevance_and_means_match_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up()
    # Batches that no class fills evenly.
    monkeypatch.setattr("interp_by_design.metrics.table_batches.BATCH_ROWS", 37)

    found = explain_globally(table)

    phi, decided = table.attributes.tolist(), table.interpreter.argmax(dim=1).tolist()
    relevance, counts = global_relevance(
        local_relevance(phi, table.head_weights.tolist(), decided), decided, 4
    )
    assert torch.allclose(found.relevance, torch.tensor(relevance), atol=1e-6)
    assert found.counts.tolist() == counts
    assert set(found.pairs(4)) == pairs(relevance, 4)
    for c in range(4):
        members = [phi[x] for x in range(len(phi)) if decided[x] == c]
        assert found.mean_attributes[c].tolist() == pytest.approx(
            [sum(column) / len(members) for column in zip(*members, strict=True)]
        )
    positive = [value for row in phi for value in row if value > 0]
    threshold = 0.01 * sum(positive) / len(positive)
    share = [sum(row[j] > threshold for row in phi) / len(phi) for j in range(6)]
    assert found.active_share.tolist() == pytest.approx(share)
    assert found.n == len(table)


def planted() -> GlobalExplanation:
    """Return an explanation with known relevant pairs.

    Attribute 0 is relevant for classes 0 and 1, attribute 1 for class 1, and none for class 2.
    Class 3 is never decided.
    """
    relevance = torch.tensor([[1.0, 0.1], [0.5, 0.9], [0.1, 0.0], [0.0, 0.0]])
    return GlobalExplanation(
        relevance, torch.tensor([5, 5, 5, 0]), torch.tensor([0.5, 0.2]), relevance, 15
    )


def test_queries_of_relevant_pairs() -> None:
    assert planted().classes_of(0, tau=4) == [0, 1]
    assert planted().attributes_of(1, tau=4) == [1, 0]
    assert planted().shared(tau=4) == {0: [0, 1]}
    assert planted().without_attribute(tau=4) == [2]
    assert planted().undecided == [3]
    assert planted().classes_of(1, tau=4) == [1]
    assert planted().attributes_of(2, tau=4) == []
    assert planted().without_attribute(tau=20) == []
    assert planted().shared(tau=20) == {0: [0, 1, 2], 1: [1, 0]}


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(UserError, match="empty"):
        explain_globally(made_up(n=0))
