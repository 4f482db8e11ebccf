import math

import pytest
import torch

from interp_by_design.metrics import calibration_error
from interp_by_design.metrics.calibration import calibration_scores
from tests.metrics.tables import of_logits


def sure(probability: float) -> list[float]:
    """Logits of two classes, the first of them with this probability."""
    return [math.log(probability / (1 - probability)), 0.0]


def test_the_distance_of_confidence_and_accuracy_in_each_bin() -> None:
    # bin (.8, .8667]: four of .85, of which two are right: |.5 - .85|; bin (.9333, 1]: one of .95,
    # right: |1 - .95|
    logits = torch.tensor([sure(0.85)] * 4 + [sure(0.95)])
    assert calibration_error(logits, torch.tensor([0, 0, 1, 1, 0])) == pytest.approx(
        4 / 5 * 0.35 + 1 / 5 * 0.05, abs=1e-6
    )


def test_errors_of_opposite_sign_cancel_within_a_bin_and_not_across_bins() -> None:
    one = torch.tensor([sure(0.81), sure(0.85)])
    assert calibration_error(one, torch.tensor([0, 1])) == pytest.approx(abs(0.5 - 0.83), abs=1e-6)
    two = torch.tensor([sure(0.75), sure(0.85)])
    assert calibration_error(two, torch.tensor([0, 1])) == pytest.approx(
        (0.25 + 0.85) / 2, abs=1e-6
    )


def test_a_bin_has_its_upper_edge() -> None:
    # one of five classes has 1/5 = 3/15, which shares a bin with 1/6 and not with 1/4
    five, six, four = ([0.0] * n + [-1000.0] * (6 - n) for n in (5, 6, 4))
    labels = torch.tensor([0, 1])
    assert calibration_error(torch.tensor([five, six]), labels) == pytest.approx(
        abs(1 - (1 / 5 + 1 / 6)) / 2
    )
    assert calibration_error(torch.tensor([five, four]), labels) == pytest.approx(
        (4 / 5 + 1 / 4) / 2
    )


def test_draws_from_the_probabilities_are_calibrated_and_sharpened_ones_are_not() -> None:
    draws = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(20_000, 4, generator=draws)
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=draws)[:, 0]
    assert calibration_error(logits, labels) < 0.01
    assert calibration_error(5 * logits, labels) > 0.15


def test_g_and_f_have_their_own_scores() -> None:
    scores = calibration_scores(of_logits([sure(0.7)], [sure(0.9)], labels=[0]))
    assert scores == pytest.approx(
        {"calibration_error": 0.1, "predictor_calibration_error": 0.3}, abs=1e-6
    )
