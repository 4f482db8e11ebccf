"""Tests of interventions against sums in loops."""

from __future__ import annotations

import pytest
import torch

from interp_by_design.explain import Intervention, intervene, intervene_on
from interp_by_design.terms import UserError
from tests.explain.made_up import made_up
from tests.metrics.tables import table_of
from tests.small import small_model


def test_logits_of_g_follow_the_changed_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interp_by_design.metrics.table_batches.BATCH_ROWS", 37)
    table = made_up(bias=1.0)
    changed = intervene(
        table, Intervention(values={0: 2.0}, scales={1: 0.5, 0: 9.0}, weights={(2, 3): -1.0})
    )

    phi, w, b = table.attributes.tolist(), table.head_weights.tolist(), table.head_bias.tolist()
    w[2][3] = -1.0
    for x, row in enumerate(phi):
        row[0], row[1] = 2.0, row[1] / 2
        wanted = [sum(w[c][j] * row[j] for j in range(6)) + b[c] for c in range(4)]
        assert changed.after[x].tolist() == pytest.approx(wanted, abs=1e-5)
    assert torch.equal(changed.before, table.interpreter)


def test_zeroing_the_largest_contribution_changes_the_decision() -> None:
    table = table_of([[2.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]])

    changed = intervene(table, Intervention.zeroing(0))

    assert changed.changed.tolist() == [True]
    assert (changed.fidelity_before, changed.fidelity_after) == (1.0, 0.0)
    assert (changed.accuracy_before, changed.accuracy_after) == (1.0, 0.0)
    before, after = 1 / (1 + 2.718281828 ** (1 - 2)), 1 / (1 + 2.718281828**1)
    assert changed.probability_drop.tolist() == pytest.approx([before - after], abs=1e-6)


def test_shares_are_over_all_images() -> None:
    """After the change g decides class 1 on four images, f on three; two have that label."""
    phi, weights = [[1.0, 0.5]] * 4, [[1.0, 0.0], [0.0, 1.0]]
    f = [[0.0, 1.0]] * 3 + [[1.0, 0.0]]

    changed = intervene(
        table_of(phi, weights, f=f, labels=[1.0, 1.0, 0.0, 0.0]), Intervention.zeroing(0)
    )

    assert (changed.fidelity_before, changed.fidelity_after) == (0.25, 0.75)
    assert (changed.accuracy_before, changed.accuracy_after) == (0.5, 0.5)


EDITS = [
    Intervention(values={0: 2.0, 1: 3.0}, scales={2: 0.5}),
    Intervention(scales={0: 4.0, 2: 0.5, 3: 2.0}, weights={(0, 0): 1.0, (1, 1): 2.0}),
    Intervention(values={2: 1.0}, scales={2: 7.0, 0: 0.0}, weights={(0, 0): -1.0}),
    Intervention.zeroing(3, 1),
]


@pytest.mark.parametrize("second", EDITS)
@pytest.mark.parametrize("first", EDITS)
def test_composition_equals_applying_one_after_the_other(
    first: Intervention, second: Intervention
) -> None:
    phi, weights = made_up().attributes, made_up().head_weights

    both = first.and_then(second)

    assert torch.allclose(both.attributes(phi), second.attributes(first.attributes(phi)))
    assert torch.equal(both.head(weights), second.head(first.head(weights)))


def test_empty_intervention_changes_nothing() -> None:
    table = made_up()
    phi = table.attributes.clone()

    changed = intervene(table, Intervention())

    assert not changed.changed.any()
    assert torch.equal(table.attributes, phi)


def test_intervention_on_an_image_matches_its_row() -> None:
    model, image = small_model().eval(), torch.rand(1, 8, 8)
    seen = model(image[None])
    strongest = int(seen.attributes[0].argmax())

    changed = intervene_on(model, image, Intervention.zeroing(strongest))

    without = seen.attributes.clone()
    without[0, strongest] = 0
    assert torch.allclose(changed.after, model.interpreter.head(without))
    with pytest.raises(UserError, match="labels"):
        _ = changed.accuracy_after


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"values": {6: 1.0}}, "no attribute 6"),
        ({"scales": {-1: 1.0}}, "no attribute -1"),
        ({"weights": {(4, 0): 1.0}}, "no class 4"),
        ({"weights": {(0, 9): 1.0}}, "no attribute 9"),
        ({"values": {0: -1.0}}, ">= 0"),
        ({"scales": {0: float("nan")}}, ">= 0"),
        ({"weights": {(0, 0): float("inf")}}, "finite"),
    ],
)
def test_invalid_interventions_are_refused(
    given: dict[str, dict[object, float]], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        intervene(made_up(), Intervention(**given))  # type: ignore[arg-type]
