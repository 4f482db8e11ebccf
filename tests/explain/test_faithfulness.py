"""Tests of faithfulness against a loop over images."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from interp_by_design.explain.faithfulness import Faithfulness, faithfulness, faithfulness_scores
from interp_by_design.explain.heat_maps import located
from interp_by_design.explain.removal import blurred
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, BatchWithActivations, ForwardPass, UserError
from tests.small import small_model

N = 24


def model_with(k: int = 5) -> InterpretableModel:
    model = small_model().eval()
    model.interpreter.dictionary.k = k  # type: ignore[union-attr,assignment]
    with torch.no_grad():
        model.interpreter.head.weights[:, 1:] *= 0.05  # active, and not worth showing
    return model


def batches(n: int = N, size: int = 10) -> list[Batch]:
    images = torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    whole = Batch(images, torch.zeros(n, dtype=torch.long), torch.arange(n))
    return [Batch(*(part[i : i + size] for part in whole)) for i in range(0, n, size)]


def literal(model: InterpretableModel, image: Tensor, attributes: list[int]) -> float:
    """Return how much of f's probability is lost without the hottest tenth of the image."""
    with torch.no_grad():
        seen = model(image[None], reconstruct=False)
    f, g = int(seen.predictor.argmax()), int(seen.interpreter.argmax())
    wanted = [
        abs(model.interpreter.head.weights[g, j].item()) if j in attributes else 0.0
        for j in range(6)
    ]
    heat = located(model, image[None], torch.tensor([wanted])).maps[0].flatten().tolist()
    hot = sorted(range(64), key=lambda pixel: (-heat[pixel], pixel))[: round(6.4)]
    removed, soft = image.clone(), blurred(image[None])[0]
    for pixel in hot:
        removed[0, pixel // 8, pixel % 8] = soft[0, pixel // 8, pixel % 8]
    with torch.no_grad():
        after = model(removed[None], reconstruct=False).predictor[0]

    def probability(logits: list[float]) -> float:
        return math.exp(logits[f]) / sum(math.exp(value) for value in logits)

    return probability(seen.predictor[0].tolist()) - probability(after.tolist())


def sets(
    model: InterpretableModel, image: Tensor, tau: float, threshold: float
) -> tuple[list[int], list[int]]:
    """Return the shown attributes, and the active ones that are not shown."""
    with torch.no_grad():
        seen = model(image[None], reconstruct=False)
    phi, g = seen.attributes[0].tolist(), int(seen.interpreter.argmax())
    alpha = [value * model.interpreter.head.weights[g, j].item() for j, value in enumerate(phi)]
    shown = [j for j in range(6) if abs(alpha[j]) > max(map(abs, alpha)) / tau]
    return shown, [j for j in range(6) if phi[j] > threshold and j not in shown]


def test_faithfulness_matches_a_loop_over_images() -> None:
    model = model_with()
    images = torch.cat([batch.images for batch in batches()])
    with torch.no_grad():
        phi = model(images, reconstruct=False).attributes
    threshold = 0.01 * float(phi[phi > 0].mean())
    tau, chosen, among = 3.0, [], []
    for image in images:
        shown, others = sets(model, image, tau, threshold)
        if others:
            chosen.append(literal(model, image, shown))
            size = min(len(shown), len(others))
            among.append(
                [
                    literal(model, image, list(drawn))
                    for drawn in itertools.combinations(others, size)
                ]
            )
    found = faithfulness(model, batches(), seed=0, tau=tau, n=N)
    assert 0 < len(chosen) <= N
    assert found.shown.tolist() == pytest.approx(chosen, abs=1e-4)
    assert found.looked_at == N
    for value, draws in zip(found.random.tolist(), among, strict=True):
        assert min(abs(value - draw) for draw in draws) < 1e-4
    scores = faithfulness_scores(model, batches(), seed=0, tau=tau, n=N)
    assert scores == pytest.approx(
        {
            "faithfulness": sum(chosen) / len(chosen),
            "faithfulness_random": float(found.random.mean()),
            "faithfulness_gap_low": found.gap_low,
            "faithfulness_samples": len(chosen),
        },
        abs=1e-4,
    )


def test_scores_are_absent_where_all_active_attributes_are_shown() -> None:
    model = small_model().eval()
    with torch.no_grad():
        model.interpreter.head.weights.fill_(1.0)
    found = faithfulness(model, batches(), seed=0, tau=1e6, n=N)
    assert len(found.shown) == len(found.random) == 0
    assert found.looked_at == N
    assert faithfulness_scores(model, batches(), seed=0, tau=1e6, n=N) == {}


def test_gap_is_paired_and_its_lower_end_rises_with_more_images() -> None:
    shown, random = [0.5, 0.1, 0.9, 0.3], [0.3, 0.1, 0.5, 0.3]
    gaps = [0.2, 0.0, 0.4, 0.0]
    deviation = math.sqrt(sum((gap - 0.15) ** 2 for gap in gaps) / 3)
    few = Faithfulness(torch.tensor(shown), torch.tensor(random), looked_at=9)
    assert few.gap_low == pytest.approx(0.15 - 1.96 * deviation / 2)
    many = Faithfulness(torch.tensor(shown * 100), torch.tensor(random * 100), looked_at=900)
    assert few.gap_low < 0 < many.gap_low < 0.15
    assert math.isnan(Faithfulness(torch.tensor([0.5]), torch.tensor([0.1]), looked_at=1).gap_low)


def test_lower_end_exceeds_the_true_gap_in_one_of_forty_cases() -> None:
    draws = torch.Generator().manual_seed(0)
    above = 0
    for _ in range(2000):
        # The loss that any removal causes; paired differences cancel it.
        shared = torch.rand(50, generator=draws)
        gap = 0.05 + 0.1 * torch.randn(50, generator=draws)
        above += Faithfulness(shared + gap, shared, looked_at=50).gap_low > 0.05
    assert 0.015 < above / 2000 < 0.04


def test_seed_determines_the_draws_and_the_model_is_unchanged() -> None:
    model = model_with().train()
    random = torch.get_rng_state()
    first, again = (faithfulness(model, batches(), seed=1, tau=3, n=N) for _ in range(2))
    assert torch.equal(first.random, again.random)
    others = [faithfulness(model, batches(), seed=seed, tau=3, n=N) for seed in range(2, 8)]
    assert any(not torch.equal(first.random, other.random) for other in others)
    assert all(torch.equal(first.shown, other.shown) for other in others)
    assert torch.equal(random, torch.get_rng_state())
    assert all(part.training for part in model.modules())


def test_at_most_n_images_are_read_from_batches_of_either_type() -> None:
    model, read = model_with(), 0

    def given() -> object:
        nonlocal read
        for batch in batches():
            read += len(batch.images)
            yield BatchWithActivations(batch, ForwardPass(torch.zeros(10, 3), ()))

    found = faithfulness(model, given(), seed=0, tau=3, n=15)  # type: ignore[arg-type]
    assert found.looked_at == 15
    assert read == 20


def test_no_image_is_an_error() -> None:
    with pytest.raises(UserError, match="no image"):
        faithfulness(small_model(), [], seed=0)
