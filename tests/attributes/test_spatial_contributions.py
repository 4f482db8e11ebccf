"""Contributions of positions to attributes: exact, and in the right place."""

from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from interp_by_design.attributes import (
    AttributeDictionary,
    FlintDictionary,
    LinearProbeDictionary,
    NMFDictionary,
    PCADictionary,
    SignedDictionary,
    SparseAutoencoderDictionary,
    TopKDictionary,
)
from interp_by_design.attributes.pooled_features import pooled_features, windows

MIXED = [torch.Size((3, 8, 7)), torch.Size((5,)), torch.Size((4, 3, 5)), torch.Size((6, 1))]
MIXED[3] = torch.Size((6,))
MAPS = [torch.Size((3, 8, 8)), torch.Size((4, 4, 4))]
J = 6

Made = tuple[Callable[[], AttributeDictionary], list[torch.Size], Callable[[Tensor], Tensor]]
KINDS: dict[str, Made] = {
    "signed": (lambda: SignedDictionary(MIXED, J), MIXED, F.relu),
    "topk": (lambda: TopKDictionary(MIXED, J, k=2), MIXED, F.softplus),
    "topk of one map": (lambda: TopKDictionary(MAPS[:1], J, k=2, pooled=5), MAPS[:1], F.softplus),
    "linear probe": (lambda: LinearProbeDictionary(MIXED, J, k=J), MIXED, F.relu),
    "pca": (lambda: PCADictionary(MIXED, J, k=J), MIXED, F.relu),
    "sparse autoencoder": (
        lambda: SparseAutoencoderDictionary(MIXED, J, k=J, epochs=2),
        MIXED,
        F.relu,
    ),
    "nmf": (lambda: NMFDictionary(MIXED, J, k=J), MIXED, lambda total: total),
    "flint": (
        lambda: FlintDictionary(MAPS, J, channels=5, negative_slope=0.01),
        MAPS,
        lambda t: F.leaky_relu(t, 0.01),
    ),
}
LINEAR = ["signed", "topk", "topk of one map", "linear probe", "pca", "sparse autoencoder"]


def layers(shapes: Sequence[torch.Size], n: int, seed: int = 0) -> list[Tensor]:
    draws = torch.Generator().manual_seed(seed)
    return [torch.randn(n, *shape, generator=draws) for shape in shapes]


def trained(kind: str) -> tuple[AttributeDictionary, list[Tensor]]:
    """A dictionary in evaluation mode whose statistics and gains have moved from their start."""
    make, shapes, _ = KINDS[kind]
    torch.manual_seed(0)
    dictionary = make()
    dictionary.fit(lambda: [layers(shapes, 40)], seed=0)
    for part in dictionary.modules():
        if isinstance(part, torch.nn.BatchNorm1d) and part.affine:
            torch.nn.init.normal_(part.weight)  # some gains are negative
            torch.nn.init.normal_(part.bias)
    dictionary.train()([3 * layer + 1 for layer in layers(shapes, 40, seed=1)])
    return dictionary.eval(), layers(shapes, J, seed=2)


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_add_up_to_the_attribute_before_it_is_rectified(kind: str) -> None:
    dictionary, hidden = trained(kind)
    with torch.no_grad():
        contributions = dictionary.spatial_contributions(
            hidden, torch.eye(J)
        )  # attribute j of sample j
        assert contributions is not None
        torch.testing.assert_close(
            KINDS[kind][2](contributions.total),
            dictionary.dense(hidden).diagonal(),
            rtol=1e-5,
            atol=1e-5,
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_sum_of_attributes_has_the_contributions_of_each(kind: str) -> None:
    dictionary, hidden = trained(kind)
    weights = torch.rand(J, J)
    with torch.no_grad():
        together = dictionary.spatial_contributions(hidden, weights)
        each = [
            dictionary.spatial_contributions([layer[:1] for layer in hidden], torch.eye(J)[[j]])
            for j in range(J)
        ]
    assert together is not None
    for i, one in enumerate(together.maps):
        summed = sum(
            weights[0, j] * each[j].maps[i][0]  # type: ignore[union-attr]
            for j in range(J)
        )
        torch.testing.assert_close(one[0], summed, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", LINEAR)
def test_a_change_at_one_position_changes_the_contribution_of_that_position(kind: str) -> None:
    dictionary, hidden = trained(kind)
    place = (2, 3)
    moved = [layer.clone() for layer in hidden]
    moved[0][:, :, 2, 3] += torch.randn(J, 3, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        before, after = (
            dictionary.spatial_contributions(given, torch.eye(J)) for given in (hidden, moved)
        )
    assert before is not None
    assert after is not None
    change = after.maps[0] - before.maps[0]
    assert change[:, *place].abs().min() > 1e-4
    torch.testing.assert_close(change[:, *place], after.total - before.total, rtol=1e-3, atol=1e-5)
    change[:, *place] = 0
    assert change.abs().max() < 1e-6
    assert torch.equal(before.unplaced, after.unplaced)


def test_the_mean_sample_contributes_nothing() -> None:
    dictionary = TopKDictionary([torch.Size((2, 4, 4)), torch.Size((3,))], J, k=2, pooled=2).eval()
    dictionary.standardise_inputs.running_mean = torch.arange(11.0)
    maps = torch.arange(8.0).view(1, 2, 2, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    contributions = dictionary.spatial_contributions(
        [maps.expand(J, -1, -1, -1), torch.tensor([8.0, 9.0, 10.0]).expand(J, -1)], torch.eye(J)
    )
    assert contributions.maps[0].abs().max() == 0
    assert contributions.unplaced.abs().max() == 0


def test_vectors_have_no_positions() -> None:
    dictionary = TopKDictionary([torch.Size((7,))], J, k=2).eval()
    contributions = dictionary.spatial_contributions([torch.randn(J, 7)], torch.eye(J))
    assert contributions.maps == ()
    assert contributions.unplaced.shape == (J, 1)


@pytest.mark.parametrize(
    ("size", "side"), [((6, 6), 3), ((8, 7), 3), ((2, 9), 4), ((1, 1), 3), ((5, 5), 1)]
)
def test_windows_are_those_that_cells_are_means_of(size: tuple[int, int], side: int) -> None:
    layer = torch.randn(1, 1, *size)
    means = [float(layer[0, 0, rows, columns].mean()) for rows, columns in windows(size, side)]
    torch.testing.assert_close(torch.tensor([means]), pooled_features(layer, side))
