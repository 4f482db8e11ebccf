from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from interp_by_design.attributes import (
    AttributeDictionary,
    FlintDictionary,
    SignedDictionary,
    TopKDictionary,
)
from interp_by_design.attributes.pooled_features import pooled_features
from interp_by_design.interpreter import LinearHead, LinearInterpreter
from interp_by_design.terms import UserError
from interp_by_design.testing import DictionaryConformance


class TestTopK(DictionaryConformance):
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return TopKDictionary(shapes, n_attributes, k=3)

    @pytest.mark.parametrize("training", [True, False])
    def test_exactly_k_are_active(self, training: bool) -> None:
        attributes = self.fitted_dictionary().train(training)(self.hidden_layers(n=50))
        assert ((attributes > 0).sum(dim=1) == 3).all()

    def test_the_k_largest_are_kept_unchanged(self) -> None:
        torch.manual_seed(0)
        shapes = [torch.Size(shape) for shape in self.shapes]
        few, all_of_them = (
            TopKDictionary(shapes, 9, k=3).eval(),
            TopKDictionary(shapes, 9, k=9).eval(),
        )
        all_of_them.load_state_dict(few.state_dict())
        hidden = self.hidden_layers()
        for sparse, dense in zip(few(hidden).tolist(), all_of_them(hidden).tolist(), strict=True):
            third = sorted(dense)[-3]
            assert sparse == [value if value >= third else 0.0 for value in dense]

    @pytest.mark.parametrize("k", [0, 10, -1, True])
    def test_k_beyond_the_attributes_is_refused(self, k: int) -> None:
        with pytest.raises(UserError, match="n_attributes=9, must be a whole number from 1 to 9"):
            TopKDictionary([torch.Size((4,))], 9, k=k)


class TestSigned(DictionaryConformance):
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return SignedDictionary(shapes, n_attributes)

    @pytest.mark.parametrize("training", [True, False])
    def test_the_two_parts_of_a_direction_exclude_each_other_and_lose_nothing(
        self, training: bool
    ) -> None:
        dictionary, hidden = self.fitted_dictionary(9).train(training), self.hidden_layers(n=50)
        attributes = F.pad(dictionary(hidden), (0, 1))
        positive, negative = attributes.chunk(2, dim=1)
        assert bool((positive * negative == 0).all())
        z = torch.cat([pooled_features(layer, 3) for layer in hidden], dim=1)
        assert isinstance(dictionary, SignedDictionary)
        signed = dictionary.standardise_directions(
            dictionary.weights(dictionary.standardise_inputs(z))
        )
        torch.testing.assert_close((positive - negative)[:, :4], signed[:, :4])
        torch.testing.assert_close(
            positive[:, 4], signed[:, 4].relu()
        )  # of an odd number, the last has its positive part only

    def test_a_smaller_k_keeps_the_k_largest(self) -> None:
        shapes = [torch.Size(shape) for shape in self.shapes]
        few, whole = SignedDictionary(shapes, 9, k=2).eval(), SignedDictionary(shapes, 9).eval()
        few.load_state_dict(whole.state_dict())
        hidden = self.hidden_layers(n=50)
        for sparse, dense in zip(few(hidden).tolist(), whole(hidden).tolist(), strict=True):
            second = sorted(dense)[-2]
            assert sparse == [value if value >= second else 0.0 for value in dense]

    def test_the_head_starts_from_the_same_code_for_every_seed(self) -> None:
        codes = []
        for seed in (0, 1):
            torch.manual_seed(seed)
            dictionary = SignedDictionary([torch.Size((4,))], 9)
            codes.append(
                LinearInterpreter(dictionary, LinearHead(9, 6), nn.Identity()).head.weights.detach()
            )
        assert torch.equal(*codes)
        positive, negative = F.pad(codes[0], (0, 1)).chunk(2, dim=1)
        assert torch.equal(positive[:, :4], -negative[:, :4])
        assert ((positive > 0).sum(dim=0) == 2).all()
        assert ((positive < 0).sum(dim=0) == 2).all()

    def test_two_classes_have_a_code_too(self) -> None:
        assert (
            SignedDictionary([torch.Size((4,))], 4).first_head(2)[:, :2].abs().tolist()
            == [[pytest.approx(0.3)] * 2] * 2
        )

    @pytest.mark.parametrize("k", [0, 10, -1, True])
    def test_k_beyond_the_attributes_is_refused(self, k: int) -> None:
        with pytest.raises(UserError, match="n_attributes=9, must be a whole number from 1 to 9"):
            SignedDictionary([torch.Size((4,))], 9, k=k)


class TestFlintOneMap(DictionaryConformance):
    shapes = ((32, 14, 14),)

    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return FlintDictionary(shapes, n_attributes)

    def test_has_as_many_parameters_as_the_authors_own(self) -> None:
        assert sum(p.numel() for p in self.fitted_dictionary(25).parameters()) == 32_921


class TestFlintSeveralMaps(DictionaryConformance):
    shapes = ((256, 7, 7), (512, 4, 4))

    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return FlintDictionary(shapes, n_attributes)

    def test_has_as_many_parameters_as_the_authors_own(self) -> None:
        assert sum(p.numel() for p in self.fitted_dictionary(25).parameters()) == pytest.approx(
            530_000, rel=0.01
        )


def test_flint_refuses_vectors_and_names_a_dictionary_that_reads_them() -> None:
    with pytest.raises(UserError, match="attributes=topk"):
        FlintDictionary([torch.Size((4, 7, 7)), torch.Size((128,))], 25)


def test_flint_refuses_maps_that_no_stride_joins() -> None:
    with pytest.raises(UserError, match="no whole stride"):
        FlintDictionary([torch.Size((4, 11, 11)), torch.Size((4, 7, 7))], 25)


@pytest.mark.parametrize(("size", "side"), [(6, 3), (9, 3), (8, 4), (2, 3), (1, 3)])
def test_pooling_is_adaptive_pooling_where_cells_are_equal(size: int, side: int) -> None:
    maps = torch.rand(2, 3, size, size)
    torch.testing.assert_close(
        pooled_features(maps, side), F.adaptive_avg_pool2d(maps, min(side, size)).flatten(1)
    )


@pytest.mark.parametrize("size", range(3, 20))
def test_pooling_covers_every_pixel(size: int) -> None:
    maps = torch.rand(1, 1, size, size, requires_grad=True)
    pooled_features(maps, 3).sum().backward()
    assert maps.grad is not None
    assert (maps.grad > 0).all()
