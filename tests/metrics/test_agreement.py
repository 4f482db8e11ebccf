import math

import pytest
import torch

from interp_by_design.metrics import fidelity_by_class, probability_error
from interp_by_design.metrics.agreement import agreement_scores
from tests.metrics.tables import of_logits, realistic_logits


def test_accuracies_and_fidelity() -> None:
    # f decides 0 1 1 2, g decides 0 1 0 2, the labels are 0 0 1 0
    f = [[3.0, 0, 0], [0, 3, 0], [0, 3, 0], [0, 0, 3]]
    g = [[1.0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    scores = agreement_scores(of_logits(f, g, labels=[0, 0, 1, 0]))
    assert scores["predictor_accuracy"] == 2 / 4
    assert scores["interpreter_accuracy"] == 1 / 4
    assert scores["fidelity"] == 3 / 4
    assert (
        scores["fidelity_on_errors"] == 2 / 2
    )  # f is wrong on the second and the last, and g follows
    assert scores["fidelity_top5"] == 1  # three classes: all are among the five largest


def test_fidelity_on_errors_is_absent_where_f_makes_none() -> None:
    assert "fidelity_on_errors" not in agreement_scores(
        of_logits([[1.0, 0]], [[0.0, 1]], labels=[0])
    )


def test_fidelity_present_classes_is_over_the_classes_of_the_labels() -> None:
    # Labels are of classes 0 and 3. Among these, f decides 0 0 3 0 and g 0 3 3 0; among all four,
    # they agree on the first sample alone.
    f = [[5.0, 0, 0, 1], [2, 9, 0, 1], [0, 0, 9, 1], [3.0, 4, 0, 0]]
    g = [[5.0, 0, 0, 1], [1, 0, 0, 2], [0, 9, 0, 1], [3.0, 0, 4, 0]]
    scores = agreement_scores(of_logits(f, g, labels=[0, 0, 3, 3]))
    assert scores["fidelity"] == 1 / 4
    assert scores["fidelity_present_classes"] == 3 / 4


@pytest.mark.parametrize("labels", [[0, 1], [1, 1]])
def test_fidelity_present_classes_is_absent_where_it_would_say_nothing_new(
    labels: list[float],
) -> None:
    assert "fidelity_present_classes" not in agreement_scores(
        of_logits([[1.0, 0], [3.0, 0]], [[0.0, 1], [1.0, 0]], labels)
    )


def test_fidelity_top5() -> None:
    f = [[9.0, 0, 0, 0, 0, 0, 0]] * 3  # f decides 0
    # 0 is g's fifth; its sixth; equal to all others, where the lower class comes first
    g = [[1.0, 2, 3, 4, 5, 0, 0], [1.0, 2, 3, 4, 5, 6, 0], [0.0] * 7]
    assert agreement_scores(of_logits(f, g, labels=[0, 0, 0]))["fidelity_top5"] == 2 / 3


def test_fidelity_hard_is_over_a_tenth_of_the_samples() -> None:
    # Margins of f: 5, but 1 in row 7 and 2 in row 3, of 20 samples; g differs from f in row 7, and
    # in row 0, which is not hard.
    f = [[5.0, 0, 0] for _ in range(20)]
    f[7], f[3] = [9.0, 8, 0], [0.0, 2, 0]
    g = [list(row) for row in f]
    g[7], g[0] = [0.0, 1, 0], [0.0, 1, 0]
    scores = agreement_scores(of_logits(f, g, labels=[0] * 20))
    assert scores["fidelity_hard"] == 1 / 2
    assert scores["fidelity"] == 18 / 20


def test_fidelity_hard_is_over_at_least_one_sample() -> None:
    assert (
        agreement_scores(of_logits([[1.0, 0], [3.0, 0]], [[0.0, 1], [1.0, 0]], labels=[0, 0]))[
            "fidelity_hard"
        ]
        == 0
    )


def test_kl() -> None:
    # f = (3/4, 1/4), g = (1/2, 1/2): 3/4 log(3/2) + 1/4 log(1/2); and 0 where the logits differ by
    # a constant
    f, g = [[math.log(3), 0.0], [1.0, 2.0]], [[0.0, 0.0], [11.0, 12.0]]
    expected = (0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 2
    assert agreement_scores(of_logits(f, g, labels=[0, 0]))["kl"] == pytest.approx(
        expected, abs=1e-7
    )


def test_finite_for_huge_logits() -> None:
    scores = agreement_scores(
        of_logits([[1e4, -1e4], [0.0, 1e4]], [[-1e4, 1e4], [0.0, 1e4]], labels=[0, 1])
    )
    assert scores["kl"] == 1e4  # (2e4 + 0) / 2
    assert all(math.isfinite(value) for value in scores.values())


def test_fidelity_of_each_class_that_f_decides() -> None:
    # f decides 0 0 0 2 and g 0 0 1 1
    f = torch.tensor([[2.0, 0, 0], [2.0, 0, 0], [1.0, 0, 0], [0.0, 1, 2]])
    g = torch.tensor([[1.0, 0, 0], [1.0, 0, 0], [0.0, 1, 0], [0.0, 1, 0]])
    found = fidelity_by_class(f, g).tolist()
    assert found[0] == pytest.approx(2 / 3)
    assert math.isnan(found[1])
    assert found[2] == 0


def test_the_worst_class_is_among_those_that_f_decides_ten_times() -> None:
    f = [[1.0, 0, 0]] * 20 + [[0.0, 1, 0]] * 10 + [[0.0, 0, 1]] * 9
    g = (
        [[1.0, 0, 0]] * 20 + [[0.0, 1, 0]] * 7 + [[1.0, 0, 0]] * 12
    )  # 7 of the ten, and none of the nine
    scores = agreement_scores(of_logits(f, g, labels=[0] * 39))
    assert scores["fidelity_worst_class"] == pytest.approx(7 / 10)
    assert "fidelity_worst_class" not in agreement_scores(of_logits(f[-9:], g[-9:], labels=[0] * 9))


def test_probability_error_is_over_all_classes() -> None:
    # f = (1/2, 1/4, 1/4) and g = (1/2, 1/2, 0): a quarter is with another class, and g decides as
    # f. Then all is, then nothing.
    half = [math.log(4), math.log(2), math.log(2)]
    f, g = (
        [half, [900.0, 0, 0], half],
        [[0.0, 0, -900], [0.0, 900, 0], [score + 7 for score in half]],
    )
    scores = agreement_scores(of_logits(f, g, labels=[0, 0, 0]))
    assert scores["probability_error"] == pytest.approx((0.25 + 1 + 0) / 3, abs=1e-7)


def test_attributes_that_say_nothing_of_the_image_have_a_large_probability_error() -> None:
    # Kumar and Ahuja ask of a measure that random concepts are less faithful. Here g reads f's
    # evidence.
    logits, _ = realistic_logits(500, 10, seed=0)
    weights = torch.randn(10, 10, generator=torch.Generator().manual_seed(1))
    attributes = logits @ torch.linalg.inv(weights).T
    draws = torch.Generator().manual_seed(2)
    strangers = attributes[torch.randperm(500, generator=draws)]
    noise = attributes.std() * torch.randn(500, 10, generator=draws) + attributes.mean()
    errors = [
        float(probability_error(logits, some @ weights.T).mean())
        for some in (attributes, strangers, noise)
    ]
    assert errors[0] < 0.001
    assert min(errors[1:]) > 0.5
