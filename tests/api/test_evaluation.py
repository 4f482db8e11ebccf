"""The scores that run the model: on which images, and among which other scores."""

import pytest
import torch

from interp_by_design.activations import CacheSettings, cached_activations
from interp_by_design.api import Source, evaluate
from interp_by_design.api.evaluation import evenly_spaced_batches
from interp_by_design.data import TensorData, TensorSplit
from interp_by_design.metrics import SCORES
from tests.small import small_model

FAMILIES = ("faithfulness", "effect", "stability", "consistency")  # of scores that take the model


def data(n: int = 90) -> TensorData:
    draws = torch.Generator().manual_seed(0)
    given = TensorData(
        torch.rand(n, 1, 8, 8, generator=draws),
        torch.arange(n) % 3,
        ("a", "b", "c"),
        test=0.3,
        validation=0.3,
    )
    given.setup()
    return given


def test_the_images_are_spread_over_the_split() -> None:
    split = TensorSplit(torch.rand(1000, 1, 2, 2), torch.arange(1000) // 100)
    batches = list(evenly_spaced_batches(split, 120))
    assert [len(batch.images) for batch in batches] == [50, 50, 20]
    rows = torch.cat([batch.indices for batch in batches])
    assert torch.equal(torch.cat([batch.images for batch in batches]), split.images[rows])
    assert split.labels[rows].bincount().tolist() == [12] * 10
    assert [len(batch.images) for batch in evenly_spaced_batches(split, 5000)] == [50] * 20


@pytest.mark.parametrize("cached", [False, True])
def test_scores_that_run_the_model_are_among_those_of_each_split(cached: bool) -> None:
    model, given = small_model().eval(), data()
    with torch.no_grad():
        model.interpreter.head.weights[:, 1:] *= 0.05  # most of what is active is not shown
    source = Source(
        (cached_activations(model.predictor, given, CacheSettings(kind="ram")) or given)
        if cached
        else given
    )
    scores = evaluate(model, source, seed=0)
    known = {score.key for score in SCORES}
    for split in ("val", "test"):
        mine = {
            key.partition("/")[2]: value
            for key, value in scores.items()
            if key.startswith(f"{split}/")
        }
        assert {key for key in known if key.startswith(FAMILIES)} <= mine.keys() <= known
        assert 0 <= mine["consistency"] <= 1
        assert -1 <= mine["faithfulness"] <= 1
        assert mine["faithfulness_gap_low"] <= mine["faithfulness"] - mine["faithfulness_random"]
        assert -1 <= mine["effect_agreement"] <= 1
        assert all(0 <= mine[f"stability_{change}"] <= 1 for change in ("noise", "jpeg20", "shift"))
        assert 0 < mine["faithfulness_samples"] <= len(given.split(split))
        assert 0 < mine["stability_samples"] <= len(given.split(split))
    assert scores == evaluate(model, source, seed=0)
