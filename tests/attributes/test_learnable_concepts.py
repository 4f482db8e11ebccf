"""Learnable concepts: binary values, relaxed draws and a prior."""

import math
from collections.abc import Sequence

import pytest
import torch

from interp_by_design.attributes import AttributeDictionary, LearnableConceptDictionary
from interp_by_design.attributes.learnable_concepts import relaxed, shortened
from interp_by_design.terms import UserError
from interp_by_design.testing import DictionaryConformance

SHAPES = [torch.Size((4, 6, 6)), torch.Size((10,))]


class TestLearnableConcepts(DictionaryConformance):
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return LearnableConceptDictionary(shapes, n_attributes)


class TestLearnableConceptsWithoutStrength(DictionaryConformance):
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return LearnableConceptDictionary(shapes, n_attributes, embedding=3, strength=False)


def layers(n: int = 40) -> list[torch.Tensor]:
    draws = torch.Generator().manual_seed(4)
    return [torch.randn(n, *shape, generator=draws) for shape in SHAPES]


def test_the_sign_of_the_dot_product_decides_whether_a_concept_is_on() -> None:
    torch.manual_seed(0)
    dictionary = LearnableConceptDictionary(SHAPES, 5, embedding=3, strength=False).eval()
    on = dictionary(layers())
    assert set(on.flatten().tolist()) == {0.0, 1.0}
    embeddings = dictionary.embeddings(layers())
    for n in range(40):
        for j in range(5):
            e, q = embeddings[n, j].tolist(), dictionary.prototypes[j].tolist()
            shrink = min(1.0, math.sqrt(20) / math.hypot(*q))
            assert bool(on[n, j]) == (sum(a * b * shrink for a, b in zip(e, q, strict=True)) > 0)


def test_a_concept_that_is_on_has_its_strength() -> None:
    torch.manual_seed(0)
    dictionary = LearnableConceptDictionary(SHAPES, 5, embedding=3).eval()
    assert dictionary.strength is not None
    embeddings = dictionary.embeddings(layers())
    on = dictionary.logits(embeddings) > 0
    v, b = dictionary.strength.weight[0].tolist(), dictionary.strength.bias.item()
    found = dictionary(layers())
    for n, j in [(0, 0), (3, 1), (7, 2), (9, 4)]:
        wanted = math.log1p(
            math.exp(b + sum(a * c for a, c in zip(v, embeddings[n, j].tolist(), strict=True)))
        )
        assert found[n, j].item() == pytest.approx(wanted if on[n, j] else 0.0, abs=1e-5)


def test_a_relaxed_draw_is_on_with_its_probability() -> None:
    torch.manual_seed(0)
    probability = torch.tensor([0.1, 0.5, 0.9])
    drawn = relaxed(probability.logit().expand(4000, 3), temperature=0.3)
    assert ((drawn >= 0) & (drawn <= 1)).all()
    assert (drawn > 0.5).float().mean(dim=0).tolist() == pytest.approx([0.1, 0.5, 0.9], abs=0.03)
    sharper = relaxed(probability.logit().expand(4000, 3), temperature=0.01)
    assert float(((sharper - 0.5).abs() > 0.49).float().mean()) > 0.95


def test_long_vectors_are_shortened_and_short_ones_unchanged() -> None:
    long, short = torch.tensor([3.0, 4.0]), torch.tensor([0.3, 0.4])
    assert shortened(long, 2.0).tolist() == pytest.approx([1.2, 1.6])
    assert torch.equal(shortened(short, 2.0), short)
    torch.manual_seed(0)
    dictionary = LearnableConceptDictionary(SHAPES, 5).eval()
    huge = [1e6 * layer for layer in layers()]
    assert dictionary.logits(dictionary.embeddings(huge)).abs().max() <= 20.001


def test_only_training_draws_and_stores_probabilities() -> None:
    torch.manual_seed(0)
    dictionary = LearnableConceptDictionary(SHAPES, 5)
    dictionary.eval()(layers())
    assert dictionary.probabilities is None
    first, again = dictionary.train()(layers()), dictionary(layers())
    assert not torch.equal(first, again)
    assert dictionary.probabilities is not None
    assert dictionary.probabilities.shape == (40, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embedding": 0}, "embedding must be a whole number"),
        ({"temperature": 0.0}, "temperature must be a positive number, not 0.0"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        LearnableConceptDictionary(SHAPES, 5, **options)  # type: ignore[arg-type]
