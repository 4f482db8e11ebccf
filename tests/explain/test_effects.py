"""Tests of effects with planted causes: each class is the brightest quadrant of the image."""

from itertools import permutations

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.explain.effects import cosine, effect_scores, effects
from interp_by_design.explain.removal import blurred
from interp_by_design.interpreter import LinearHead
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor
from interp_by_design.terms import Batch, DataFacts, Normalisation, UserError
from tests.explain.planted import PARTS, SIDE, Parts, masks

FACTS = DataFacts((1, SIDE, SIDE), ("a", "b", "c", "d"), Normalisation())
SCALE = 3.0
N = 60
TAU = 50.0  # shows every attribute with more than a trace of relevance


def quadrants(roll: int = 0) -> InterpretableModel:
    """Return a model whose f decides by the brightest quadrant.

    g does the same, with each of its four attributes shifted by `roll` classes. Each weight of h is
    reduced by the same number. That changes no probability, and gives each attribute a positive or
    negative contribution to each class.
    """
    pixels, light = nn.Conv2d(1, 1, 1, bias=False), nn.Linear(SIDE**2, 4, bias=False)
    network = nn.Sequential(pixels, nn.Flatten(), light)
    model = InterpretableModel(Predictor(network, ["0"], FACTS), Parts(), FACTS)
    model.interpreter.head = LinearHead(PARTS, 4)
    with torch.no_grad():
        pixels.weight.fill_(1)
        light.weight.copy_(SCALE * masks()[:4].flatten(1))
        model.interpreter.head.weights.zero_()
        model.interpreter.head.weights[:, :4] = SCALE * (torch.eye(4).roll(roll, 0) - 0.25)
    return model.eval()


def images() -> Tensor:
    """Return images with quadrants of different brightness, each with one brighter corner."""
    light = torch.rand(N, 4, generator=torch.Generator().manual_seed(5))
    spots = torch.zeros(SIDE, SIDE)
    spots[[0, 0, -1, -1], [0, -1, 0, -1]] = 0.1
    return 0.6 * torch.einsum("nj,jhw->nhw", light, masks()[:4])[:, None] + spots


def batches() -> list[Batch]:
    return [Batch(images(), torch.zeros(N, dtype=torch.long), torch.arange(N))]


def changes(image: Tensor, j: int) -> tuple[list[float], list[float]]:
    """Return the measured and the predicted change of the probabilities.

    Measured: without the two hottest pixels of quadrant j. Predicted: with the sum of j at 0.
    """

    def probabilities(sums: Tensor) -> Tensor:
        powers = (SCALE * sums).exp()
        return powers / powers.sum()

    sums = torch.stack([image[0][mask > 0].sum() for mask in masks()[:4]])
    soft = blurred(image[None])[0, 0]
    heat = masks()[j] * (image[0] - soft).clamp(min=0)  # occlusion by the blurred copy
    removed = image[0].clone()
    for pixel in sorted(range(SIDE**2), key=lambda p: (-float(heat.flatten()[p]), p))[
        : round(0.1 * SIDE**2)
    ]:
        removed[pixel // SIDE, pixel % SIDE] = soft[pixel // SIDE, pixel % SIDE]
    after = torch.stack([removed[mask > 0].sum() for mask in masks()[:4]])
    zeroed = sums.clone()
    zeroed[j] = 0
    before = probabilities(sums)
    return (probabilities(after) - before).tolist(), (probabilities(zeroed) - before).tolist()


def differences(a: list[float], b: list[float]) -> list[float]:
    return [p - q for p, q in zip(a, b, strict=True)]


def test_effects_match_a_loop_over_images() -> None:
    found = effects(quadrants(), batches(), seed=0, tau=TAU)
    assert found.looked_at == len(found.measured) == N
    drawn = set()
    for image, measured, predicted in zip(images(), found.measured, found.predicted, strict=True):
        literal = [changes(image, j) for j in range(4)]
        pairs = {
            (j, k): [differences(a, b) for a, b in zip(literal[j], literal[k], strict=True)]
            for j, k in permutations(range(4), 2)
        }
        near = [
            pair
            for pair, (_, said) in pairs.items()
            if predicted.tolist() == pytest.approx(said, abs=1e-5)
        ]
        assert len(near) == 1
        assert measured.tolist() == pytest.approx(pairs[near[0]][0], abs=1e-5)
        drawn |= set(near)
    assert len(drawn) == 12


def test_agreement_is_high_for_the_true_causes() -> None:
    assert effects(quadrants(), batches(), seed=0, tau=TAU).agreement > 0.8


@pytest.mark.parametrize("roll", [1, 2, 3])
def test_agreement_is_low_for_causes_of_other_classes(roll: int) -> None:
    assert effects(quadrants(roll), batches(), seed=0, tau=TAU).agreement < 0.1


def test_agreement_is_low_for_attributes_of_the_same_region() -> None:
    model = quadrants()
    model.interpreter.masks = torch.ones(PARTS, SIDE, SIDE)
    assert (
        abs(effects(model, batches(), seed=0, tau=TAU).agreement) < 0.1
    )  # but for equal pixels, nothing differs


def test_agreement_is_low_for_attributes_of_other_images() -> None:
    found = effects(quadrants(), batches(), seed=0, tau=TAU)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    assert abs(cosine(found.measured, found.predicted[order])) < 0.3


def test_cosine_is_over_images_and_classes() -> None:
    one, other = torch.tensor([[3.0, -3], [0.0, 0]]), torch.tensor([[1.0, -1], [1.0, -1]])
    assert cosine(one, other) == pytest.approx(6 / (18**0.5 * 2))
    assert cosine(one, 0 * other) == 0


def test_score_is_absent_without_two_shown_attributes() -> None:
    found = effects(quadrants(), batches(), seed=0, tau=TAU)
    assert effect_scores(quadrants(), batches(), seed=0, tau=TAU) == {
        "effect_agreement": found.agreement
    }
    alone = [Batch(masks()[:4, None], torch.zeros(4, dtype=torch.long), torch.arange(4))]
    assert effect_scores(quadrants(), alone, seed=0, tau=TAU) == {}


def test_seed_determines_the_draws_and_the_model_is_unchanged() -> None:
    model = quadrants().train()
    random = torch.get_rng_state()
    first, again, another = (effects(model, batches(), seed=seed, tau=TAU) for seed in (1, 1, 2))
    assert torch.equal(first.measured, again.measured)
    assert torch.equal(first.predicted, again.predicted)
    assert not torch.equal(first.measured, another.measured)
    assert torch.equal(random, torch.get_rng_state())
    assert all(part.training for part in model.modules())


def test_no_image_is_an_error() -> None:
    with pytest.raises(UserError, match="no image"):
        effects(quadrants(), [], seed=0)
