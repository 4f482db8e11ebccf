"""Disagreement of f and g, against counting by hand."""

from __future__ import annotations

import math

import pytest

from interp_by_design.explain import disagreement
from tests.explain.made_up import made_up
from tests.metrics.tables import of_logits


def entropy(logits: list[float]) -> float:
    total = sum(math.exp(value) for value in logits)
    return -sum(math.exp(value) / total * math.log(math.exp(value) / total) for value in logits)


def test_it_is_what_counting_finds() -> None:
    table = made_up(n=400)
    table.predictor.mul_(3)

    found = disagreement(table)

    confusion = [[0] * 4 for _ in range(4)]
    counts: dict[tuple[int, ...], int] = {}
    rows = []
    logits = table.predictor.tolist(), table.interpreter.tolist()
    for x, (f, g) in enumerate(zip(*logits, strict=True)):
        a, b = f.index(max(f)), g.index(max(g))
        confusion[a][b] += 1
        rows += [x] if a != b else []
        answers = (entropy(f) < 0.1, entropy(g) < 0.07, a == b, a == int(table.labels[x]))
        key = tuple(map(int, answers))
        counts[key] = counts.get(key, 0) + 1
    assert found.confusion.tolist() == confusion
    assert found.rows.tolist() == rows
    assert len(counts) > 6  # or the sample is too easy to tell the questions apart
    assert all(int(found.counts[key]) == count for key, count in counts.items())
    assert int(found.counts.sum()) == 400
    assert found.predictor_entropy.tolist() == pytest.approx(
        [entropy(f) for f in logits[0]], abs=1e-5
    )


def test_a_class_that_is_out_of_question_adds_nothing_to_entropy() -> None:
    table = of_logits([[200.0, -float("inf"), 0.0]], [[0.0, 0.0, -300.0]], labels=[0])

    found = disagreement(table)

    assert found.predictor_entropy.tolist() == [0.0]
    assert found.interpreter_entropy.tolist() == pytest.approx([math.log(2)])
    assert int(found.counts[1, 0, 1, 1]) == 1
