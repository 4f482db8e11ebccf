"""Random dictionaries over the networks of runs: drawn by the seed and adapted to the data."""

from __future__ import annotations

import copy

import pytest
import torch

from interp_by_design.api.seed_stability import (
    Seeded,
    frozen_random,
    random_table,
    stability_seeds_random,
)
from interp_by_design.attributes import TopKDictionary
from interp_by_design.attributes.pooled_features import pooled_features
from interp_by_design.data import TensorData
from interp_by_design.interpreter import InterpreterSpec, LinearInterpreter, build_interpreter
from interp_by_design.metrics.seed_stability import stability_seeds
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, Predictor
from interp_by_design.terms import DataFacts, Normalisation, UserError
from tests.small import small_model

FACTS = DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation())
SPEC = InterpreterSpec(
    {
        "_target_": "interp_by_design.attributes.TopKDictionary",
        "_partial_": True,
        "n_attributes": 6,
        "k": 2,
    },
    {
        "_target_": "interp_by_design.interpreter.LinearInterpreter",
        "_partial_": True,
        "head": {"_target_": "interp_by_design.interpreter.LinearHead", "_partial_": True},
        "decoder": {
            "_target_": "interp_by_design.interpreter.DenseDecoder",
            "_partial_": True,
            "width": 16,
        },
    },
)


def model(seed: int) -> InterpretableModel:
    torch.manual_seed(seed)
    predictor = Predictor(
        LeNet(FACTS.image_shape, FACTS.n_classes, channels=(4, 8), width=16),
        ["conv1", "fc1"],
        FACTS,
    )
    return InterpretableModel(
        predictor, build_interpreter(SPEC, predictor.hidden_shapes, FACTS), FACTS, SPEC
    )


@pytest.fixture(scope="module")
def data() -> TensorData:
    """Sorted by class, and each class of its own brightness, as folders of images are read."""
    draws = torch.Generator().manual_seed(0)
    labels = torch.arange(3).repeat_interleave(200)
    images = (
        0.3 * labels[:, None, None, None] + 0.3 * torch.rand(600, 1, 8, 8, generator=draws)
    ).clamp(0, 1)
    found = TensorData(images, labels, FACTS.class_names, test=0.2, validation=0.1)
    found.setup()
    return found


def test_the_run_is_left_as_it_was(data: TensorData) -> None:
    run = Seeded(model(0), data, 0)
    before, state = copy.deepcopy(run.model.state_dict()), torch.get_rng_state()
    run.model.train()
    frozen_random(run)
    assert all(torch.equal(before[name], value) for name, value in run.model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert run.model.predictor.network.training


def test_the_seed_decides_what_is_drawn(data: TensorData) -> None:
    first, again, other = (random_table(Seeded(model(0), data, seed)) for seed in (3, 3, 4))
    assert torch.equal(first.attributes, again.attributes)
    assert not torch.allclose(first.attributes, other.attributes)


def test_the_dictionary_is_another_one_over_the_same_network(data: TensorData) -> None:
    run = Seeded(model(0), data, 0)
    drawn = frozen_random(run)
    assert drawn.predictor is run.model.predictor
    assert isinstance(drawn.interpreter, LinearInterpreter)
    ours = run.model.interpreter.state_dict()["dictionary.weights.weight"]
    assert not torch.equal(drawn.interpreter.state_dict()["dictionary.weights.weight"], ours)


def test_its_statistics_are_those_of_the_train_images_however_they_are_sorted(
    data: TensorData,
) -> None:
    run = Seeded(model(0), data, 0)
    dictionary = frozen_random(run).interpreter.dictionary
    assert isinstance(dictionary, TopKDictionary)
    run.model.eval()
    with torch.no_grad():
        hidden = run.model.predictor(
            data.split("train").batch(torch.arange(len(data.split("train")))).images
        ).hidden
        cells = torch.cat([pooled_features(layer, 3) for layer in hidden], dim=1)
    mean, var = (
        dictionary.standardise_inputs.get_buffer(f"running_{what}") for what in ("mean", "var")
    )
    assert torch.allclose(mean, cells.mean(dim=0), atol=0.05 * float(cells.std(dim=0).max()))
    assert torch.allclose(var, cells.var(dim=0), rtol=0.15), (
        "by batches as sorted it would be a tenth"
    )


def test_it_is_the_stability_of_the_random_tables(data: TensorData) -> None:
    runs = [Seeded(model(seed), data, seed) for seed in range(3)]
    assert stability_seeds_random(iter(runs)) == stability_seeds(
        [random_table(run) for run in runs]
    )
    same = [Seeded(model(0), data, 0), Seeded(model(0), data, 0)]
    assert stability_seeds_random(same) == pytest.approx(1.0, abs=1e-5)


def test_a_model_that_cannot_be_rebuilt_is_refused(data: TensorData) -> None:
    with pytest.raises(UserError, match="put together by hand"):
        frozen_random(Seeded(small_model(), data, 0))
