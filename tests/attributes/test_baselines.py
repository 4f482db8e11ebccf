"""Baseline dictionaries in the conformance suite."""

from collections.abc import Sequence

import pytest
import torch

from interp_by_design.attributes import (
    AttributeDictionary,
    LinearProbeDictionary,
    NMFDictionary,
    PCADictionary,
    SparseAutoencoderDictionary,
)
from interp_by_design.terms import UserError
from interp_by_design.testing import DictionaryConformance, FittedConformance

BASELINES = [LinearProbeDictionary, PCADictionary, NMFDictionary, SparseAutoencoderDictionary]
VECTOR = [torch.Size((12,))]


class AtMostK(DictionaryConformance):
    k = 3

    @pytest.mark.parametrize("training", [True, False])
    def test_at_most_k_are_active_and_some_have_k(self, training: bool) -> None:
        active = (self.fitted_dictionary().train(training)(self.hidden_layers(n=50)) > 0).sum(dim=1)
        assert active.max() == self.k


class TestLinearProbe(AtMostK):
    counts = (4, 10)

    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return LinearProbeDictionary(shapes, n_attributes, k=self.k)


class TestPCA(AtMostK, FittedConformance):
    counts = (4, 10)

    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return PCADictionary(shapes, n_attributes, k=self.k)


class TestNMF(AtMostK, FittedConformance):
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return NMFDictionary(shapes, n_attributes, k=self.k)


class TestSparseAutoencoder(AtMostK, FittedConformance):
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return SparseAutoencoderDictionary(shapes, n_attributes, k=self.k, epochs=2)


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("k", [0, 11, -1, True])
def test_k_beyond_the_attributes_is_refused(baseline: type[AttributeDictionary], k: int) -> None:
    with pytest.raises(UserError, match="n_attributes=10, must be a whole number from 1 to 10"):
        baseline(VECTOR, 10, k=k)


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("pooled", [0, -1, True])
def test_a_grid_without_cells_is_refused(baseline: type[AttributeDictionary], pooled: int) -> None:
    with pytest.raises(UserError, match="pooled must be a whole number"):
        baseline(VECTOR, 10, k=3, pooled=pooled)


@pytest.mark.parametrize("baseline", BASELINES[1:])
@pytest.mark.parametrize("rows", [1, 0, True])
def test_a_fit_to_fewer_than_two_rows_is_refused(
    baseline: type[AttributeDictionary], rows: int
) -> None:
    with pytest.raises(UserError, match="rows must be a whole number"):
        baseline(VECTOR, 10, k=3, rows=rows)


@pytest.mark.parametrize("baseline", BASELINES[:2])
def test_half_a_direction_is_refused(baseline: type[AttributeDictionary]) -> None:
    with pytest.raises(UserError, match=r"must be even, not 9: .* Choose 10"):
        baseline(VECTOR, 9, k=3)


@pytest.mark.parametrize("epochs", [0, -1, True])
def test_an_autoencoder_without_an_epoch_is_refused(epochs: int) -> None:
    with pytest.raises(UserError, match="epochs must be a whole number"):
        SparseAutoencoderDictionary(VECTOR, 10, k=3, epochs=epochs)


def test_only_fitted_baselines_need_a_fit() -> None:
    assert [baseline.needs_fit for baseline in BASELINES] == [False, True, True, True]
