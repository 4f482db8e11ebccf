"""Matching of attributes to factors, on tables where the right answer is known."""

import math

import pytest
import torch
from torch import Tensor

from interp_by_design.metrics.factor_columns import factor_columns
from interp_by_design.metrics.factor_matching import match_factors
from interp_by_design.statistics import correlation_matrix, regression_r_squared
from interp_by_design.terms import Factors, UserError

N = 600
TEXTURE = torch.arange(N) % 3
OUTLINE = torch.arange(N) // 3 % 2
SIZE = torch.rand(N, generator=torch.Generator().manual_seed(0))
VALUES = torch.stack([TEXTURE == 0, TEXTURE == 1, TEXTURE == 2, OUTLINE == 1], dim=1).float()
FACTORS = Factors(
    ("texture", "outline", "size"),
    torch.stack([TEXTURE, OUTLINE, SIZE], dim=1).double(),
    ("discrete", "binary", "continuous"),
    (True, True, False),
    {"texture": ("plain", "striped", "checked"), "outline": ("round", "angular")},
)


def noise(columns: int, seed: int = 1) -> Tensor:
    return torch.rand(N, columns, generator=torch.Generator().manual_seed(seed))


def slow_correlation(one: list[float], other: list[float]) -> float:
    a, b = sum(one) / len(one), sum(other) / len(other)
    both = sum((x - a) * (y - b) for x, y in zip(one, other, strict=True))
    return both / math.sqrt(sum((x - a) ** 2 for x in one) * sum((y - b) ** 2 for y in other))


def test_the_factors_themselves_are_all_found() -> None:
    found = match_factors(3 * VALUES + 1, FACTORS)
    assert found.share_found == 1
    assert found.attributes.tolist() == [0, 1, 2, 3]
    assert torch.allclose(found.correlation, torch.ones(4).double())
    assert found.margin[:3].tolist() == pytest.approx(
        [0.5] * 3, abs=1e-6
    )  # textures exclude each other: they correlate by -1/2
    assert torch.allclose(found.purity, torch.ones(4).double(), atol=0.02)
    assert torch.allclose(found.completeness, torch.ones(4).double())
    assert found.nuisance["size"] < 0.1


def test_permuted_attributes_are_found_where_they_are() -> None:
    order = [5, 2, 0, 4, 3, 1]
    attributes = torch.cat([VALUES, noise(2)], dim=1)[:, order]
    found = match_factors(attributes, FACTORS)
    assert found.attributes.tolist() == [order.index(v) for v in range(4)]
    assert found.share_found == 1


def test_a_duplicate_is_no_second_factor_and_is_counted() -> None:
    attributes = torch.cat([VALUES[:, [0, 0, 0]], VALUES[:, [3]]], dim=1)
    found = match_factors(attributes, FACTORS)
    assert found.found.tolist() == [True, False, False, True]
    assert found.copies.tolist()[0] == 2


def test_attributes_of_classes_are_not_attributes_of_factors() -> None:
    classes = torch.nn.functional.one_hot(TEXTURE * 2 + OUTLINE, 6).float()
    found = match_factors(classes, FACTORS)
    assert found.share_found == 0
    assert float(found.correlation[0]) == pytest.approx(math.sqrt(0.4), abs=1e-6)
    assert float(found.purity[0]) == pytest.approx(2 / 3, abs=0.02)


def test_random_attributes_find_nothing() -> None:
    found = match_factors(noise(10), FACTORS)
    assert found.share_found == 0
    assert found.correlation.max() < 0.2


def test_a_nuisance_is_reported_and_no_match() -> None:
    found = match_factors(torch.cat([VALUES[:, :3], SIZE[:, None]], dim=1), FACTORS)
    assert found.found.tolist() == [True, True, True, False]
    assert found.nuisance["size"] == pytest.approx(1)


def test_too_few_attributes_leave_values_without_one() -> None:
    found = match_factors(VALUES[:, :2], FACTORS)
    assert sorted(found.attributes.tolist())[:2] == [-1, -1]
    assert found.share_found == 0.5


def test_a_dead_attribute_correlates_with_nothing() -> None:
    found = match_factors(torch.cat([VALUES, torch.full((N, 1), 0.3)], dim=1), FACTORS)
    assert found.table[4].tolist() == [0.0] * 5


def test_correlations_are_those_of_the_formula() -> None:
    one, other = noise(2, 3).double(), (noise(3, 4) + noise(1, 3)).double()
    fast = correlation_matrix(one, other)
    for i in range(2):
        for j in range(3):
            assert float(fast[i, j]) == pytest.approx(
                slow_correlation(one[:, i].tolist(), other[:, j].tolist()), abs=1e-9
            )


def test_an_angle_is_explained_by_sine_and_cosine() -> None:
    angle = 2 * math.pi * SIZE
    shifted = (angle + 1).cos()[:, None]
    assert float(
        regression_r_squared(shifted, torch.stack([angle.sin(), angle.cos()], dim=1))
    ) == pytest.approx(1)
    assert float(regression_r_squared(shifted, angle.sin()[:, None])) < 0.9
    assert float(regression_r_squared(shifted, torch.ones(N, 1))) == 0


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(UserError, match="images"):
        match_factors(VALUES[:10], FACTORS)
    with pytest.raises(UserError, match="one of each per factor"):
        Factors(("a",), VALUES.double(), ("continuous",), (True,))
    with pytest.raises(UserError, match="colour"):
        FACTORS.only(["colour"])


def test_columns_code_each_kind_and_unknown_values_are_neutral() -> None:
    unknown = math.nan
    values = [[0.0, 0.0, 0.0, 1.0], [2.0, 1.0, math.pi / 2, 3.0], [unknown] * 4]
    columns = factor_columns(
        Factors(
            ("texture", "outline", "hue", "size"),
            torch.tensor(values, dtype=torch.float64),
            ("discrete", "binary", "angle", "continuous"),
            (True, True, False, False),
            {"texture": ("plain", "striped", "checked"), "outline": ("round", "angular")},
        )
    )
    assert columns.names == (
        "texture is plain",
        "texture is striped",
        "texture is checked",
        "outline is angular",
        "sine of hue",
        "cosine of hue",
        "size",
    )
    assert columns.nuisances == ("hue", "size")
    assert columns.causal.tolist() == [True] * 4 + [False] * 3
    wanted = [[1, 0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1, 0, 3], [0, 0, 0, 0.5, 0, 0, 2]]
    assert torch.allclose(columns.values, torch.tensor(wanted).double())
    assert columns.of("hue").shape == (3, 2)
