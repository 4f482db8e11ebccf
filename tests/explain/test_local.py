"""Tests of local explanations against loops over rows."""

from __future__ import annotations

import pytest
import torch

from interp_by_design.explain import explain_row, explain_set, local_columns
from interp_by_design.terms import Batch, UserError
from tests.explain.made_up import made_up
from tests.metrics.tables import table_of
from tests.reference.relevance import local_relevance
from tests.small import small_model


def test_columns_match_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interp_by_design.metrics.table_batches.BATCH_ROWS", 37)
    table = made_up(bias=1.0)

    columns = local_columns(table, tau=2.5)

    phi, w, b = table.attributes.tolist(), table.head_weights.tolist(), table.head_bias.tolist()
    for x, (f, g) in enumerate(
        zip(table.predictor.tolist(), table.interpreter.tolist(), strict=True)
    ):
        decided = g.index(max(g))
        relevance = local_relevance([phi[x]], w, [decided])[0]
        shown = [abs(r) > 1 / 2.5 for r in relevance]
        alone = [
            sum(w[c][j] * phi[x][j] for j in range(len(relevance)) if shown[j]) + b[c]
            for c in range(len(w))
        ]
        assert columns.shown[x].tolist() == shown
        assert columns.relevance[x].tolist() == pytest.approx(relevance, abs=1e-6)
        assert bool(columns.agrees[x]) == (f.index(max(f)) == decided)
        assert bool(columns.correct[x]) == (f.index(max(f)) == int(table.labels[x]))
        assert bool(columns.sufficient[x]) == (alone.index(max(alone)) == f.index(max(f)))
        assert bool(columns.unexplained[x]) == (not any(phi[x]))


def test_a_row_agrees_with_its_columns() -> None:
    table = made_up()
    columns = local_columns(table, tau=3)

    for row in range(0, len(table), 7):
        explanation = explain_row(table, row, tau=3)

        assert explanation.input.index == int(table.indices[row])
        assert explanation.input.label == int(table.labels[row])
        assert sorted(explanation.shown()) == columns.shown[row].nonzero()[:, 0].tolist()
        assert explanation.sufficient == bool(columns.sufficient[row])
        assert explanation.unexplained == bool(columns.unexplained[row])
        assert explanation.agrees == bool(columns.agrees[row])


def test_explanation_of_a_set_matches_its_table() -> None:
    model, images = small_model(), torch.rand(50, 1, 8, 8)
    batches = [
        Batch(part, torch.arange(len(part)) % 3, torch.arange(len(part)))
        for part in torch.split(images, 16)
    ]
    model.train()

    columns = explain_set(model, batches, tau=2)

    assert model.training
    model.eval()
    seen = model(images)
    attributes, weights = seen.attributes.tolist(), model.interpreter.head.weights.tolist()
    relevance = local_relevance(attributes, weights, seen.interpreter.argmax(dim=1).tolist())
    assert torch.allclose(columns.relevance, torch.tensor(relevance), atol=1e-5)
    assert columns.predictor_class.tolist() == seen.predictor.argmax(dim=1).tolist()


def test_explanation_of_an_image_matches_its_batch() -> None:
    model, image = small_model().eval(), torch.rand(1, 8, 8)

    explanation = model.explain(image)

    seen = model(image[None])
    assert torch.allclose(explanation.attributes, seen.attributes[0])
    assert explanation.interpreter_class == int(seen.interpreter.argmax())
    assert explanation.input.label is None
    assert explanation.input.index is None


@pytest.mark.parametrize(
    ("phi", "weights", "f", "present", "absent"),
    [
        (
            [2.0, 0.0],
            [[1.0, 0.0], [0.0, 1.0]],
            [3.0, 0.0],
            ["both decide “cat”"],
            ["suffice", "disagree"],
        ),
        (
            [2.0, 0.0],
            [[1.0, 0.0], [0.0, 1.0]],
            [0.0, 3.0],
            ["disagree", "f decides “dog”", "g decides “cat”"],
            ["both"],
        ),
        (
            [0.0, 0.0],
            [[1.0, 0.0], [0.0, 1.0]],
            [3.0, 0.0],
            ["No attribute contributes"],
            ["suffice"],
        ),
        # One strong contribution to both classes, and a weak one that decides.
        (
            [10.0, 1.0],
            [[1.0, 1.0], [1.05, 0.0]],
            [3.0, 0.0],
            ["does not suffice", "the one shown attribute"],
            ["disagree"],
        ),
    ],
)
def test_statement_reports_limits_of_the_explanation(
    phi: list[float],
    weights: list[list[float]],
    f: list[float],
    present: list[str],
    absent: list[str],
) -> None:
    statement = explain_row(table_of([phi], weights, f=[f]), 0, tau=5).statement(["cat", "dog"])

    assert all(words in statement for words in present), statement
    assert not any(words in statement for words in absent), statement


def test_invalid_arguments_are_refused() -> None:
    with pytest.raises(UserError, match="no row 300"):
        explain_row(made_up(), 300)
    with pytest.raises(UserError, match="tau is 1"):
        local_columns(made_up(), tau=1)
    with pytest.raises(UserError, match="no batch"):
        explain_set(small_model(), [])
    with pytest.raises(UserError, match="shape"):
        small_model().explain(torch.rand(3, 8, 8))
