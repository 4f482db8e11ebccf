"""TopK sparse autoencoder against its published rule, number by number.

Gao et al. (2024), arXiv 2406.04093, section 2.3: z = TopK(W_enc (x - b_pre)), x^ = W_dec z + b_pre,
loss = |x - x^|²; their code adds a bias to the latents, rectifies the kept ones, and holds the
decoder's columns at unit length.
"""

import math

import pytest
import torch
from torch import Tensor

from interp_by_design.attributes import SparseAutoencoderDictionary
from interp_by_design.attributes.sparse_autoencoder import LEARNING_RATE, Autoencoder, _step

N = 20  # samples
D = 6  # features
J = 9  # attributes


def drawn(seed: int = 0) -> tuple[Autoencoder, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    directions = torch.nn.functional.normalize(torch.randn(J, D, generator=draws), dim=1)
    encoder, threshold = torch.randn(J, D, generator=draws), 0.3 * torch.randn(J, generator=draws)
    offset = torch.randn(D, generator=draws)
    return Autoencoder(encoder, threshold, directions, offset), torch.randn(N, D, generator=draws)


def published_code(learnt: Autoencoder, x: list[float], k: int) -> list[float]:
    """TopK before ReLU; the package applies them in the other order."""
    encoder, threshold, offset = (
        learnt.encoder.tolist(),
        learnt.threshold.tolist(),
        learnt.offset.tolist(),
    )
    before = [
        sum(encoder[j][i] * (x[i] - offset[i]) for i in range(D)) + threshold[j] for j in range(J)
    ]
    kept = sorted(range(J), key=lambda j: before[j], reverse=True)[:k]
    return [max(0.0, before[j]) if j in kept else 0.0 for j in range(J)]


def published_image(learnt: Autoencoder, code: list[float]) -> list[float]:
    directions, offset = learnt.directions.tolist(), learnt.offset.tolist()
    return [sum(code[j] * directions[j][i] for j in range(J)) + offset[i] for i in range(D)]


@pytest.mark.parametrize("k", [1, 3, J])
def test_codes_and_reconstructions_are_the_published_ones(k: int) -> None:
    learnt, rows = drawn()
    codes = learnt.encode(rows, k)
    expected = [published_code(learnt, row, k) for row in rows.tolist()]
    torch.testing.assert_close(codes, torch.tensor(expected), atol=1e-5, rtol=1e-4)
    assert ((codes > 0).sum(dim=1) <= k).all()
    back = [published_image(learnt, code) for code in expected]
    torch.testing.assert_close(learnt.decode(codes), torch.tensor(back), atol=1e-5, rtol=1e-4)


def test_the_dictionary_reads_standardised_features_by_that_rule() -> None:
    rows = 3 * torch.randn(60, D, generator=torch.Generator().manual_seed(1)) + 5
    dictionary = SparseAutoencoderDictionary([torch.Size((D,))], J, k=2, epochs=2)
    dictionary.fit(lambda: [[rows]], seed=0)
    columns = list(zip(*rows.tolist(), strict=True))
    means = [sum(column) / 60 for column in columns]
    deviations = [
        math.sqrt(sum((x - mean) ** 2 for x in column) / 60)
        for column, mean in zip(columns, means, strict=True)
    ]
    z = [
        [(x - mean) / deviation for x, mean, deviation in zip(row, means, deviations, strict=True)]
        for row in rows.tolist()
    ]
    expected = torch.tensor([published_code(dictionary.autoencoder, row, 2) for row in z])
    torch.testing.assert_close(dictionary([rows]), expected, atol=1e-4, rtol=1e-3)


def test_a_step_follows_the_gradient_of_the_squared_error_and_keeps_directions_at_unit_length() -> (
    None
):
    start, rows = drawn()
    learnt = Autoencoder(*(part.clone().requires_grad_() for part in start))
    _step(learnt, torch.optim.Adam(learnt, LEARNING_RATE), rows, k=2)
    assert all(
        math.sqrt(sum(x * x for x in row)) == pytest.approx(1, abs=1e-5)
        for row in learnt.directions.tolist()
    )

    def error(one: Autoencoder) -> float:
        given = [(row, published_image(one, published_code(one, row, 2))) for row in rows.tolist()]
        return sum((a - b) ** 2 for row, back in given for a, b in zip(row, back, strict=True)) / (
            N * D
        )

    # Adam's first step is the rate against the gradient's sign, found by finite differences.
    for name in ("encoder", "threshold", "offset"):
        before, after = getattr(start, name).flatten(), getattr(learnt, name).detach().flatten()
        for place in range(0, len(before), 4):
            sides = []
            for sign in (1, -1):
                moved = before.clone()
                moved[place] += sign * 1e-3
                sides.append(error(start._replace(**{name: moved.view_as(getattr(start, name))})))
            slope = (sides[0] - sides[1]) / 2e-3
            if abs(slope) > 1e-3:  # clear of rounding; a unit that no row keeps has none
                assert float(after[place] - before[place]) == pytest.approx(
                    -math.copysign(LEARNING_RATE, slope), rel=0.05
                ), (name, place)
