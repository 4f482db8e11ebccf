"""Fitted dictionaries against planted structure and other libraries."""

import numpy as np
import pytest
import torch
from scipy.optimize import nnls
from sklearn.decomposition import PCA, non_negative_factorization
from torch import Tensor

from interp_by_design import statistics
from interp_by_design.attributes import NMFDictionary, PCADictionary, SparseAutoencoderDictionary
from interp_by_design.attributes.nmf import coefficients
from interp_by_design.attributes.sparse_autoencoder import (
    Autoencoder,
    replace_dead,
    train_autoencoder,
)
from interp_by_design.terms import UserError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def skewed(n: int = 400, d: int = 12) -> Tensor:
    """Samples of clearly different deviations along oblique directions."""
    signs = torch.randn(n, 4, generator=generator(1)) * torch.tensor([4.0, 3, 2, 1])
    return (
        signs @ torch.randn(4, d, generator=generator(2))
        + 0.1 * torch.randn(n, d, generator=generator(3))
        + 5
    )


def sparse_codes(n: int, parts: int, active: int, seed: int) -> Tensor:
    """[n, parts] >= 0, `active` of them positive in each row."""
    draws = generator(seed)
    which = torch.rand(n, parts, generator=draws).argsort(dim=1)[:, :active]
    return torch.zeros(n, parts).scatter(1, which, 1 + torch.rand(n, active, generator=draws))


def matched(found: Tensor, planted: Tensor) -> Tensor:
    """For each planted row, its cosine with the most similar found row."""
    cosines = (
        torch.nn.functional.normalize(planted, dim=1)
        @ torch.nn.functional.normalize(found, dim=1).T
    )
    return cosines.amax(dim=1)


@pytest.mark.parametrize("exact_up_to", [2048, 4])
def test_pca_gives_scikit_learn_s_components_up_to_sign(
    exact_up_to: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MAX_EXACT_COLUMNS", exact_up_to)  # at 4, the randomised method
    rows = skewed()
    dictionary = PCADictionary([rows.shape[1:]], 6, k=6)
    dictionary.fit(lambda: ([part] for part in rows.split(90)), seed=0)
    phi = dictionary([rows])
    standard = (rows - rows.mean(dim=0)) / rows.std(dim=0, correction=0)
    expected = torch.from_numpy(
        PCA(3, whiten=True).fit_transform(standard.double().numpy())
    ).float()
    for found, wanted in zip((phi[:, :3] - phi[:, 3:]).T, expected.T, strict=True):
        sign = (found @ wanted).sign()
        torch.testing.assert_close(found, sign * wanted, atol=2e-3, rtol=1e-3)


def test_pca_without_whitening_keeps_each_components_share() -> None:
    rows = skewed()
    phi = {}
    for whiten in (True, False):
        dictionary = PCADictionary([rows.shape[1:]], 6, k=6, whiten=whiten)
        dictionary.fit(lambda: [[rows]], seed=0)
        parts = dictionary([rows])
        phi[whiten] = (parts[:, :3] - parts[:, 3:]).std(dim=0)
    torch.testing.assert_close(phi[True], torch.ones(3), atol=5e-3, rtol=0)
    assert phi[False][0] > phi[False][1] > phi[False][2] > 0


def test_pca_of_fewer_dimensions_than_components_is_0_in_the_others() -> None:
    line = torch.randn(50, 1, generator=generator()) * torch.ones(5)
    dictionary = PCADictionary([torch.Size((5,))], 6, k=6)
    dictionary.fit(lambda: [[line]], seed=0)
    assert (dictionary([line]) > 1e-3).any(dim=0).tolist() == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]


def test_pca_refuses_more_components_than_features_or_samples() -> None:
    with pytest.raises(UserError, match=r"have 5 features: no more than 10 attributes"):
        PCADictionary([torch.Size((5,))], 12, k=3)
    with pytest.raises(
        UserError,
        match="5 principal components need at least as many rows, and there are 4",
    ):
        PCADictionary([torch.Size((5,))], 10, k=3).fit(lambda: [[torch.eye(4, 5)]], seed=0)


def test_nmf_finds_planted_parts() -> None:
    # Each of 4 parts lights 6 of 24 channels, on some positions of some images.
    planted = torch.eye(4).repeat_interleave(6, dim=1) * (
        0.5 + torch.rand(4, 24, generator=generator(4))
    )
    codes = sparse_codes(600 * 9, 4, active=2, seed=5) * (
        torch.rand(600 * 9, 1, generator=generator(6)) < 0.7
    )
    maps = (codes @ planted).view(600, 3, 3, 24).permute(0, 3, 1, 2)
    dictionary = NMFDictionary([maps.shape[1:]], 4, k=4)
    dictionary.fit(lambda: ([part] for part in maps.split(100)), seed=0)
    assert (matched(dictionary.parts / dictionary.scale, planted) > 0.99).all()
    presence = codes.view(600, 9, 4).mean(dim=1)
    correlations = np.corrcoef(presence.T.numpy(), dictionary([maps]).T.numpy())[:4, 4:]
    assert (correlations.max(axis=1) > 0.99).all()


def test_nmf_rectifies_negative_channels() -> None:
    maps = torch.randn(80, 6, 4, 4, generator=generator())
    dictionary = NMFDictionary([maps.shape[1:]], 3, k=2, pooled=4)
    dictionary.fit(lambda: [[maps]], seed=0)
    assert torch.equal(dictionary([maps]), dictionary([maps.relu()]))


def test_coefficients_are_non_negative_least_squares() -> None:
    columns, parts = (
        torch.rand(40, 15, generator=generator()),
        torch.rand(6, 15, generator=generator(1)) ** 3,
    )
    parts = parts / parts.norm(dim=1, keepdim=True)
    found = coefficients(columns, parts)
    exact = np.stack(
        [nnls(parts.T.double().numpy(), column)[0] for column in columns.double().numpy()]
    )
    np.testing.assert_allclose(found, exact, atol=5e-3)
    # scikit-learn's transform, which solves the same problem by coordinate descent
    theirs, _, _ = non_negative_factorization(
        columns.numpy(),
        H=parts.numpy(),
        n_components=6,
        init="custom",
        update_H=False,
        max_iter=2000,
        tol=1e-5,
    )
    np.testing.assert_allclose(found, theirs, atol=5e-3)


def test_an_unused_part_is_never_present() -> None:
    parts = torch.stack([torch.ones(5) / 5**0.5, torch.zeros(5)])
    assert (coefficients(torch.rand(3, 5, generator=generator()), parts)[:, 1] == 0).all()


def test_the_autoencoder_finds_planted_directions_and_explains_the_rest() -> None:
    planted = torch.nn.functional.normalize(torch.randn(8, 40, generator=generator(1)), dim=1)
    codes = sparse_codes(3000, 8, active=2, seed=2)
    rows = codes @ planted + 0.02 * torch.randn(3000, 40, generator=generator(3))
    learnt = train_autoencoder(rows, 8, k=2, epochs=60, seed=0)
    found = learnt.encode(rows, 2)
    assert matched(learnt.directions, planted).median() > 0.9  # local optima mix a few
    torch.testing.assert_close(learnt.directions.norm(dim=1), torch.ones(8))
    error = (learnt.decode(found) - rows).square().mean() / rows.var(dim=0, correction=0).mean()
    assert error < 0.2
    assert ((found > 0).float().mean(dim=0) > 0.01).all()


def test_the_autoencoder_reconstructs_better_than_random_directions() -> None:
    rows = skewed()
    dictionary = SparseAutoencoderDictionary([rows.shape[1:]], 8, k=3, epochs=200)
    dictionary.fit(lambda: [[rows]], seed=0)
    fitted, z = dictionary.autoencoder, dictionary.standardise(rows)
    random = torch.nn.functional.normalize(torch.randn(8, 12, generator=generator()), dim=1)
    drawn = fitted._replace(encoder=random, directions=random)
    errors = [(one.decode(one.encode(z, 3)) - z).square().mean() for one in (fitted, drawn)]
    assert errors[0] < 0.4 * errors[1]
    assert torch.equal(dictionary([rows]), fitted.encode(z, 3))


def test_units_that_hardly_any_sample_activates_are_replaced() -> None:
    rows = skewed()
    kept, dead = (torch.nn.functional.normalize(part, dim=1) for part in (rows[:3], -rows[:2]))
    threshold, offset = torch.tensor([0.0, 0, 0, -1e9, -1e9]), torch.zeros(12)
    before = Autoencoder(torch.cat([kept, dead]), threshold, torch.cat([kept, dead]), offset)
    after = Autoencoder(*(part.clone() for part in before))
    replace_dead(after, before.threshold < -1, rows, 2, generator())
    assert torch.equal(after.directions[:3], before.directions[:3])
    assert torch.equal(after.encoder[3:], after.directions[3:])
    assert ((after.encode(rows, 2) > 0)[:, 3:].any(dim=0)).all()
    assert (after.decode(after.encode(rows, 2)) - rows).square().mean() < (
        before.decode(before.encode(rows, 2)) - rows
    ).square().mean()


@pytest.mark.parametrize("kind", [PCADictionary, NMFDictionary, SparseAutoencoderDictionary])
def test_another_seed_draws_other_samples(kind: type[PCADictionary]) -> None:
    rows = torch.rand(200, 12, generator=generator())
    fits = []
    for seed in (0, 1):
        dictionary = kind([rows.shape[1:]], 4, k=2, rows=40)
        dictionary.fit(lambda: [[rows]], seed=seed)
        fits.append(dictionary([rows]))
    assert not torch.equal(*fits)
