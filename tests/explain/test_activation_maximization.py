"""Tests of activation maximisation: known optima, and the loop of the official code."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from benchmarks.official_maximization import official_maximization
from interp_by_design.attributes import FlintDictionary
from interp_by_design.explain.activation_maximization import (
    PRESETS,
    Maximization,
    Maximized,
    maximization_for,
    maximize,
    out_of_range,
    preset_named,
    total_variation,
)
from interp_by_design.interpreter import (
    DenseDecoder,
    LinearHead,
    LinearInterpreter,
    RelabelledInterpreter,
)
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, Predictor, Preprocessing
from interp_by_design.terms import DataFacts, Normalisation, UnknownName, UserError
from tests.explain.planted import FACTS as PLANTED
from tests.explain.planted import masks, planted
from tests.small import FACTS, small_model

COLOUR = DataFacts((3, 9, 8), ("a", "b", "c"), Normalisation((0.5, 0.4, 0.3), (0.2, 0.25, 0.3)))
PLAIN = Maximization(gain=1.0, variation=(0.0,), bounded=True, intensity=0.5, steps=40, rate=0.2)


def images(n: int, shape: tuple[int, int, int] = FACTS.image_shape, seed: int = 0) -> Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))


def same(one: Maximized, other: Maximized, tolerance: float = 1e-4) -> bool:
    parts = ("images", "start_values", "end_values", "objective")
    close = (
        torch.allclose(getattr(one, p), getattr(other, p), rtol=tolerance, atol=tolerance)
        for p in parts
    )
    return torch.equal(one.steps, other.steps) and all(close)


def test_maximum_fills_the_part_and_leaves_other_pixels_unchanged() -> None:
    starts = images(5, PLANTED.image_shape)

    found = maximize(planted(), starts, torch.arange(5), PLAIN)

    for j, mask in enumerate(masks()):
        assert torch.allclose(
            found.images[j, 0], torch.where(mask > 0, 1.0, 0.5 * starts[j, 0]), atol=1e-5
        )
    assert found.end_values.tolist() == pytest.approx([4, 4, 4, 4, 0], abs=1e-4)
    assert found.start_values.tolist() == pytest.approx(
        (0.5 * starts[:, 0] * masks()).sum(dim=(1, 2)).tolist(), abs=1e-5
    )
    assert found.objective.tolist() == pytest.approx(found.end_values.tolist(), abs=1e-4)


def test_regularisers_match_a_loop() -> None:
    x = 3 * torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    for image, variation, outside in zip(
        x.tolist(), total_variation(x), out_of_range(x, -1.0, 2.0), strict=True
    ):
        down = [abs(c[i + 1][k] - c[i][k]) for c in image for i in range(4) for k in range(4)]
        right = [abs(c[i][k + 1] - c[i][k]) for c in image for i in range(5) for k in range(3)]
        assert float(variation) == pytest.approx(
            sum(down) / len(down) + sum(right) / len(right), rel=1e-5
        )
        values = [abs(v) if v < -1 or v > 2 else 0 for c in image for row in c for v in row]
        assert float(outside) == pytest.approx(sum(values) / len(values), rel=1e-5)


def test_objective_matches_a_loop_before_clipping() -> None:
    """One step, whose best image is the start; φ is in units of the start's."""
    model, starts, j = planted(), images(1, PLANTED.image_shape), 2
    settings = Maximization(
        gain=3.0,
        out_of_range=10.0,
        variation=(2.0,),
        intensity=0.5,
        relative=True,
        within=(0.2, 0.4),
        steps=1,
        rate=1e-9,
    )

    found = maximize(model, starts, torch.tensor([j]), settings)

    x = 0.5 * starts
    phi, whole = (float((part[0, 0] * masks()[j]).sum()) for part in (x, starts))
    wanted = 3 * phi / whole - 10 * float(out_of_range(x, 0.2, 0.4)) - 2 * float(total_variation(x))
    assert float(found.objective) == pytest.approx(wanted, rel=1e-4)


def test_inactive_attribute_is_scaled_by_the_largest_one() -> None:
    starts = torch.full((1, 1, 4, 4), 1e-6)
    starts[0, 0, :2, :2] = 0.5  # φ_0 is 2, the others next to nothing
    settings = replace(PLAIN, relative=True, intensity=1.0)

    found = maximize(planted(), starts, torch.tensor([3]), settings)

    assert float(found.objective) == pytest.approx(4 / (0.1 * 2), rel=1e-4)


@pytest.mark.parametrize("jitter", [0, 2])
def test_pair_is_independent_of_its_batch(jitter: int) -> None:
    model, starts, attributes = small_model(), images(6), torch.tensor([0, 1, 2, 3, 4, 5])
    settings = replace(PRESETS["grey"], steps=15, jitter=jitter, patience=5)
    whole = maximize(model, starts, attributes, settings, seed=3)
    alone = [
        maximize(model, starts[i : i + 1], attributes[i : i + 1], settings, seed=3)
        for i in range(6)
    ]

    assert same(maximize(model, starts, attributes, settings, chunk=4, seed=3), whole)
    assert torch.equal(maximize(model, starts, attributes, settings, seed=3).images, whole.images)
    for i, one in enumerate(alone):
        assert torch.allclose(one.images[0], whole.images[i], atol=1e-3)
        assert one.steps[0] == whole.steps[i]
    other = maximize(model, starts, attributes, settings, seed=4)
    assert torch.equal(other.images, whole.images) == (jitter == 0)


def test_pair_without_progress_stops_early_alone() -> None:
    starts = images(3, PLANTED.image_shape)
    found = maximize(
        planted(), starts, torch.tensor([1, 4, 2]), replace(PLAIN, patience=7, rate=0.01)
    )

    assert found.steps.tolist() == [40, 8, 40]
    assert torch.allclose(found.images[1], 0.5 * starts[1])


def test_stages_continue_from_the_previous_one() -> None:
    model, starts, chosen = planted(), images(1, PLANTED.image_shape), torch.tensor([1])
    both = maximize(model, starts, chosen, replace(PLAIN, variation=(0.0, 50.0)))
    smooth = maximize(model, starts, chosen, replace(PLAIN, variation=(50.0,)))

    assert both.steps.tolist() == [80]
    assert float(both.objective) == pytest.approx(
        float(both.end_values - 50 * total_variation(both.images)), rel=1e-3, abs=1e-3
    )
    assert float(total_variation(both.images)) < float(
        total_variation(maximize(model, starts, chosen, PLAIN).images)
    )
    assert smooth.steps.tolist() == [40]


def test_inactive_attributes_become_active() -> None:
    model, starts = small_model(), images(20)
    model.eval()
    with torch.no_grad():
        silent = (model(starts, reconstruct=False).attributes == 0).nonzero()
    rows, attributes = silent[:8].T

    found = maximize(model, starts[rows], attributes, replace(PRESETS["grey"], variation=(0.0,)))

    assert (found.end_values > 0).sum() >= 6


@pytest.mark.slow
def test_objective_reaches_that_of_the_official_loop() -> None:
    model, starts, attributes = small_model(), images(4), torch.tensor([0, 1, 2, 3])
    settings = PRESETS["mnist_global"]
    found = maximize(model, starts, attributes, settings)

    for i in range(4):
        official = official_maximization(model, starts[i], int(attributes[i]), settings)
        assert float(found.objective[i]) >= float(official.objective) - 0.02 * abs(
            float(official.objective)
        )


@pytest.mark.parametrize("kind", ["colour", "resized", "flint", "double", "inference"])
def test_any_model_is_maximized_and_left_unchanged(kind: str) -> None:
    model = _model(kind)
    model.train()
    model.predictor.requires_grad_(False)
    starts = images(3, model.facts.image_shape)
    starts = starts.double() if kind == "double" else starts
    before = {name: value.clone() for name, value in model.state_dict().items()}
    needed = [weight.requires_grad for weight in model.parameters()]
    random = torch.random.get_rng_state()
    quiet: AbstractContextManager[object] = (
        torch.inference_mode() if kind == "inference" else torch.no_grad()
    )

    settings = replace(maximization_for(model.facts), variation=(0.0,), steps=30)
    with quiet:
        found = maximize(model, starts + 0, torch.tensor([0, 1, 2]), settings)
        hardly = maximize(
            model, starts + 0, torch.tensor([0, 1, 2]), replace(settings, steps=1, rate=1e-9)
        )

    assert (found.objective > hardly.objective).all()
    assert found.images.shape == starts.shape
    assert 0 <= float(found.images.min()) <= float(found.images.max()) <= 1
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(part.training for part in model.modules())
    assert [weight.requires_grad for weight in model.parameters()] == needed
    assert all(weight.grad is None for weight in model.parameters())
    assert torch.equal(torch.random.get_rng_state(), random)


def _model(kind: str) -> InterpretableModel:
    if kind in ("colour", "inference"):
        return small_model(COLOUR)
    if kind == "double":
        return small_model().double()
    torch.manual_seed(0)
    facts = DataFacts((1, 12, 12), ("a", "b", "c"), Normalisation())
    preprocessing = Preprocessing(facts.normalisation, size=(8, 8)) if kind == "resized" else None
    shape = (1, 8, 8) if kind == "resized" else facts.image_shape
    predictor = Predictor(
        LeNet(shape, 3, channels=(4, 8), width=16), ["conv2"], facts, preprocessing
    )
    dictionary = FlintDictionary(predictor.hidden_shapes, 4, channels=8, negative_slope=0.01)
    return InterpretableModel(
        predictor,
        LinearInterpreter(
            dictionary, LinearHead(4, 3), DenseDecoder(4, facts.image_shape, width=8)
        ),
        facts,
    )


@pytest.mark.parametrize("variation", [0.0, 6.0])
def test_interpreter_without_gradients_stays_finite(variation: float) -> None:
    learned = small_model()
    assert isinstance(learned.interpreter, LinearInterpreter)
    relabelled = RelabelledInterpreter(
        learned.interpreter.dictionary, learned.interpreter.head, learned.interpreter.decoder
    )
    model = InterpretableModel(learned.predictor, relabelled, FACTS)

    found = maximize(
        model,
        images(2),
        torch.tensor([0, 3]),
        replace(PRESETS["grey"], variation=(variation,), steps=60),
    )

    assert torch.isfinite(found.objective).all()
    assert variation > 0 or found.steps.tolist() == [41, 41]


def test_empty_input_gives_an_empty_result() -> None:
    found = maximize(small_model(), images(0), torch.zeros(0, dtype=torch.long))
    assert (len(found), found.images.shape, found.steps.tolist()) == (0, (0, 1, 8, 8), [])


REFUSED = {
    "images of shape": lambda m: maximize(m, images(2, (1, 9, 8)), torch.tensor([0, 1])),
    "run from 0 to 5": lambda m: maximize(m, images(2), torch.tensor([0, 6])),
    "NaN": lambda m: maximize(m, images(2).log().sqrt(), torch.tensor([0, 1])),
    "chunk must": lambda m: maximize(m, images(2), torch.tensor([0, 1]), chunk=0),
    "steps of a maximization": lambda m: Maximization(steps=0),
    "jitter of a maximization": lambda m: Maximization(jitter=True),
    "numbers of a maximization": lambda m: Maximization(gain=float("nan")),
    "are not negative": lambda m: Maximization(variation=()),
}


@pytest.mark.parametrize("message", REFUSED)
def test_invalid_arguments_are_refused(message: str) -> None:
    with pytest.raises(UserError, match=message):
        REFUSED[message](small_model())


def test_nan_during_optimisation_is_reported() -> None:
    model = small_model()
    with torch.no_grad():
        model.interpreter.dictionary.weights.weight[2] = torch.nan
    with pytest.raises(UserError, match=r"attributes \[2\] became NaN"):
        maximize(model, images(2), torch.tensor([2, 2]), PRESETS["mnist_global"])


def test_preset_follows_the_image_shape() -> None:
    def chosen(shape: tuple[int, int, int], mean: float = 0.0, std: float = 1.0) -> Maximization:
        return maximization_for(
            DataFacts(shape, ("a", "b"), Normalisation((mean,) * shape[0], (std,) * shape[0]))
        )

    assert chosen((1, 28, 28)) == preset_named("grey")
    assert chosen((3, 32, 32)) == preset_named("colour")
    assert chosen((3, 224, 224)) == preset_named("large")
    assert chosen((1, 14, 14)) == replace(preset_named("grey"), variation=(3.0,))
    assert chosen((3, 32, 32), 0.2, 0.1).units == Normalisation((0.2,) * 3, (0.1,) * 3)
    assert len(chosen((5, 32, 32)).units.mean) == 1
    with pytest.raises(UnknownName, match="cifar_global"):
        preset_named("cifar")
