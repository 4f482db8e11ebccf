import torch

from interp_by_design.attributes.dictionary import k_largest
from interp_by_design.attributes.pooled_features import (
    FeatureStandardiser,
    all_features,
    channel_count,
    feature_count,
    hypercolumns,
    pooled_features,
    sample_rows,
)

SHAPES = [torch.Size(shape) for shape in ((3, 8, 8), (5, 2, 2), (7,))]


def hidden(n: int = 4) -> list[torch.Tensor]:
    draws = torch.Generator().manual_seed(0)
    return [torch.randn(n, *shape, generator=draws) for shape in SHAPES]


def test_baselines_read_the_features_of_the_default_dictionary() -> None:
    features = all_features(hidden(), pooled=4)
    assert torch.equal(
        features, torch.cat([pooled_features(layer, 4) for layer in hidden()], dim=1)
    )
    assert features.shape[1] == feature_count(SHAPES, 4) == 3 * 16 + 5 * 4 + 7


def test_a_hypercolumn_holds_the_rectified_channels_of_each_layer_at_its_position() -> None:
    columns = hypercolumns(hidden(), pooled=4)
    assert columns.shape == (4, 16, channel_count(SHAPES, 4)) == (4, 16, 3 + 5 + 7)
    large, small, vector = hidden()
    for row in range(4):
        for column in range(4):
            there = columns[:, 4 * row + column]
            cell = large[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean(dim=(2, 3))
            expected = torch.cat([cell, small[:, :, row // 2, column // 2], vector], dim=1).clamp(
                min=0
            )
            torch.testing.assert_close(there, expected)


def test_few_rows_are_all_drawn() -> None:
    rows = torch.arange(7.0)[:, None]
    assert torch.equal(sample_rows(rows.split(3), 7, seed=0), rows)


def test_each_row_is_as_likely_as_any_other() -> None:
    batches = torch.arange(20.0)[:, None].split(6)
    counts = torch.zeros(20)
    for seed in range(2000):
        drawn = sample_rows(batches, 5, seed)[:, 0].long()
        assert len(set(drawn.tolist())) == 5
        counts[drawn] += 1
    assert ((counts / 2000 - 5 / 20).abs() < 0.05).all()  # five deviations of a share of 2,000


def test_standardised_features_have_mean_0_and_deviation_1_and_constant_ones_are_0() -> None:
    rows = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [1e-4, 5, 0]
    ) + torch.tensor([2.0, 3, 0.1])
    standardise = FeatureStandardiser(3)
    standardise.fit(rows)
    z = standardise(rows)
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(
        z.std(dim=0, correction=0), torch.tensor([1.0, 1, 0]), atol=1e-3, rtol=0
    )


def test_the_k_largest_are_unchanged() -> None:
    assert k_largest(torch.tensor([[3.0, 1, 2, 0], [0, 0, 0, 4]]), 2).tolist() == [
        [3, 0, 2, 0],
        [0, 0, 0, 4],
    ]
