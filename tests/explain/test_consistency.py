"""Tests of consistency with a decoder whose effects are planted."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.explain.consistency import (
    consistency,
    consistency_scores,
    imputed,
    speaking_rows,
)
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import InterpretationTable
from tests.small import small_model

J = 6
N = 60


class Planted(nn.Module):
    """Decoder with a planted effect for each attribute.

    Attribute 0 draws the same block in each image, attribute 1 nothing, and attribute 2 a block
    that differs between images.
    """

    def forward(self, attributes: Tensor) -> Tensor:
        images = torch.full((len(attributes), 1, 8, 8), 0.5)
        images[:, :, :3, :3] += 0.1 * attributes[:, 0, None, None, None]
        images[:, :, 5:, 5:] = ((7 * attributes[:, 5] + 0.61 * attributes[:, 2]) % 1)[
            :, None, None, None
        ]
        return images


def planted() -> InterpretableModel:
    model = small_model().eval()
    model.interpreter.decoder = Planted()
    return model


def table(seed: int) -> InterpretationTable:
    draws = torch.Generator().manual_seed(seed)
    attributes = torch.rand(N, J, generator=draws)
    attributes[:, 4] = 0
    weights = torch.rand(3, J, generator=draws)
    weights[:, 3] = -1
    logits = attributes @ weights.T
    return InterpretationTable(
        indices=torch.arange(N),
        labels=torch.zeros(N, dtype=torch.long),
        predictor=logits,
        interpreter=logits,
        attributes=attributes,
        reconstruction_error=torch.zeros(N),
        class_mean_error=torch.zeros(N),
        head_weights=weights,
        head_bias=torch.zeros(3),
    )


def test_what_does_the_same_to_every_image_is_consistent_and_what_does_not_is_not() -> None:
    model = planted()
    found = consistency(model, table(0), table(1), seed=0, n=120)
    accuracy = dict(zip(found.attributes.tolist(), found.accuracy.tolist(), strict=True))
    assert set(accuracy) == {
        0,
        1,
        2,
        5,
    }  # attribute 3 speaks against every class, attribute 4 is dead
    assert accuracy[0] == 1
    assert accuracy[1] == 0.5
    assert 0.3 <= accuracy[2] <= 0.7
    scores = consistency_scores(model, table(0), table(1), seed=0, n=120)
    assert scores == {"consistency": pytest.approx(sum(accuracy.values()) / 4)}


def test_a_budget_draws_attributes_by_the_seed_and_repeats_itself() -> None:
    model = planted()
    few = [
        consistency(model, table(0), table(1), seed=seed, n=10).attributes.tolist()
        for seed in (0, 0, 1, 2, 3, 4)
    ]
    assert few[0] == few[1]
    assert all(len(some) == 2 for some in few)
    assert len({tuple(some) for some in few}) > 1


def test_a_silent_dictionary_has_no_consistency() -> None:
    silent = dataclasses.replace(table(0), attributes=torch.zeros(N, J))
    assert consistency_scores(planted(), silent, table(1), seed=0) == {}


def test_model_and_random_state_are_unchanged() -> None:
    model, random = planted().train(), torch.get_rng_state()
    consistency(model, table(0), table(1), seed=0, n=20)
    assert all(part.training for part in model.modules())
    assert torch.equal(random, torch.get_rng_state())


def test_rows_with_positive_contribution_are_sorted_by_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = table(2)
    decided = given.interpreter.argmax(dim=1).tolist()
    for batch_rows in (4096, 7):
        monkeypatch.setattr("interp_by_design.metrics.table_batches.BATCH_ROWS", batch_rows)
        found = speaking_rows(given, most=8)
        for j in range(J):
            able = [
                i
                for i in range(N)
                if given.head_weights[decided[i], j] > 0 and given.attributes[i, j] > 0
            ]
            able.sort(key=lambda i, j=j: -float(given.attributes[i, j]))  # type: ignore[misc]
            assert [i for i in found[j].tolist() if i >= 0] == able[:8]


def test_imputation_sets_an_attribute_to_twice_its_maximum_and_to_zero() -> None:
    attributes = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert imputed(attributes, 0).tolist() == [[6.0, 2.0], [6.0, 4.0], [0.0, 2.0], [0.0, 4.0]]
    assert attributes.tolist() == [[1.0, 2.0], [3.0, 4.0]]
