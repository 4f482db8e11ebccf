"""Tests of stability with predictors of known sensitivity."""

import io
import math

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from interp_by_design.explain.stability import (
    SIGMA,
    compressed,
    noisy,
    shifted,
    stability,
    stability_scores,
)
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, UserError
from tests.explain.planted import PARTS, planted

N = 12


def images(n: int = N, channels: int = 1, side: int = 4) -> Tensor:
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(7))


def batches(given: Tensor) -> list[Batch]:
    whole = Batch(given, torch.zeros(len(given), dtype=torch.long), torch.arange(len(given)))
    return [Batch(*(part[i : i + 5] for part in whole)) for i in range(0, len(given), 5)]


def moved_by(strength: float) -> InterpretableModel:
    """Return a model whose f has this weight for the first pixel; with 0 it is constant."""
    model = planted().eval()
    with torch.no_grad():
        last = model.predictor.network.get_submodule("2")
        assert isinstance(last, nn.Linear)
        last.weight.zero_()
        last.bias.zero_()
        last.weight[0, 0] = strength
    return model


def cosine(a: list[float], b: list[float]) -> float:
    return sum(p * q for p, q in zip(a, b, strict=True)) / math.sqrt(
        sum(p * p for p in a) * sum(q * q for q in b)
    )


def attributes(image: Tensor) -> list[float]:
    """Return the attributes of the planted model: sums of the quadrants, and one that is 0."""
    return [float(image[0, r : r + 2, c : c + 2].sum()) for r in (0, 2) for c in (0, 2)] + [0.0] * (
        PARTS - 4
    )


def test_cosines_match_a_loop_over_images() -> None:
    found = stability(moved_by(0), batches(images()), seed=3)
    assert found.looked_at == N
    draws = torch.Generator().manual_seed(3)
    changed = {
        "noise": noisy(images(), draws),
        "jpeg20": compressed(images()),
        "shift": shifted(images(), draws),
    }
    assert found.cosines.keys() == changed.keys()
    for name, others in changed.items():
        wanted = [
            cosine(attributes(one), attributes(other))
            for one, other in zip(images(), others, strict=True)
        ]
        assert found.cosines[name].tolist() == pytest.approx(wanted, abs=1e-5)
    scores = stability_scores(moved_by(0), batches(images()), seed=3)
    assert scores.pop("stability_samples") == N
    assert scores == pytest.approx(
        {f"stability_{name}": float(cosines.mean()) for name, cosines in found.cosines.items()}
    )


def test_only_images_where_f_is_unchanged_count() -> None:
    given = images()
    draws = torch.Generator().manual_seed(3)
    others = noisy(given, draws)
    found = stability(moved_by(20), batches(given), seed=3)

    def probability(image: Tensor) -> float:
        return 1 / (1 + math.exp(-20 * float(image[0, 0, 0])))

    stay = [i for i in range(N) if abs(probability(given[i]) - probability(others[i])) < 0.05]
    assert 0 < len(stay) < N
    wanted = [cosine(attributes(given[i]), attributes(others[i])) for i in stay]
    assert found.cosines["noise"].tolist() == pytest.approx(wanted, abs=1e-5)


def test_scores_are_absent_where_f_changes_or_no_attribute_is_active() -> None:
    spots = torch.full((4, 1, 4, 4), 0.5)
    assert (
        stability_scores(moved_by(1e9), batches(spots - 0.5 + 1e-6), seed=0)
        .keys()
        .isdisjoint({"stability_noise"})
    )
    assert stability_scores(moved_by(0), batches(torch.zeros(4, 1, 4, 4)), seed=0) == {}


def test_attributes_that_vanish_are_not_stable() -> None:
    model = moved_by(0)
    model.interpreter.masks = torch.zeros(PARTS, 4, 4)
    model.interpreter.masks[0] = 1
    faint = torch.zeros(1, 1, 4, 4)
    faint[0, 0, 0, 0] = 1 / 1000  # JPEG rounds it to 0
    assert stability(model, batches(faint), seed=0).cosines["jpeg20"].tolist() == [0]


def test_noise_has_its_deviation_and_is_clipped() -> None:
    grey = torch.full((50, 1, 20, 20), 0.5)
    assert float((noisy(grey, torch.Generator().manual_seed(0)) - grey).std()) == pytest.approx(
        SIGMA, rel=0.05
    )
    white = noisy(torch.ones(2, 3, 8, 8), torch.Generator().manual_seed(0))
    assert float(white.max()) == 1
    assert float(white.min()) > 0.5


@pytest.mark.parametrize("channels", [1, 3, 2, 4])
def test_compression_matches_a_jpeg_file(channels: int) -> None:
    given = images(2, channels, side=24)
    planes = given if channels == 3 else given.flatten(0, 1)[:, None]
    wanted = []
    for plane in planes:
        values = (plane * 255).round().byte()
        file = io.BytesIO()
        pixels = values.permute(1, 2, 0).numpy() if channels == 3 else values[0].numpy()
        Image.fromarray(pixels).save(file, "JPEG", quality=20)
        back = torch.tensor(
            list(
                Image.open(file).get_flattened_data()
                if channels != 3
                else Image.open(file).tobytes()
            )
        )
        wanted.append(
            back.view(24, 24, 3).permute(2, 0, 1) if channels == 3 else back.view(1, 24, 24)
        )
    found = compressed(given)
    assert found.shape == given.shape
    assert torch.allclose(found.reshape(-1, *wanted[0].shape), torch.stack(wanted) / 255)
    assert 0.01 < float((found - given).abs().mean()) < 0.3


def test_shift_repeats_the_edge_in_every_direction() -> None:
    given = images(300, 2, side=5)
    steps = set()
    for one, other in zip(given, shifted(given, torch.Generator().manual_seed(0)), strict=True):
        matches = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if all(
                torch.equal(
                    other[:, r, c], one[:, min(max(r - down, 0), 4), min(max(c - right, 0), 4)]
                )
                for r in range(5)
                for c in range(5)
            )
        ]
        assert len(matches) == 1
        steps |= set(matches)
    assert len(steps) == 24
    assert (0, 0) not in steps


def test_seed_determines_the_draws_and_the_model_is_unchanged() -> None:
    model, random = moved_by(0).train(), torch.get_rng_state()
    first, again, another = (
        stability_scores(model, batches(images()), seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != another
    assert torch.equal(random, torch.get_rng_state())
    assert all(part.training for part in model.modules())


def test_at_most_n_images_are_used_and_none_is_an_error() -> None:
    assert stability(moved_by(0), batches(images()), seed=0, n=7).looked_at == 7
    with pytest.raises(UserError, match="no image"):
        stability(moved_by(0), [], seed=0)
