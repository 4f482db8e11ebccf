"""Dictionaries of baselines by design in the conformance suite."""

from collections.abc import Sequence

import torch

from interp_by_design.attributes import AttributeDictionary, ConceptDictionary, PrototypeDictionary
from interp_by_design.testing import DictionaryConformance


class TestPrototypes(DictionaryConformance):
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return PrototypeDictionary(shapes, n_attributes)


class TestConcepts(DictionaryConformance):
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        return ConceptDictionary(shapes, n_attributes)

    def test_attributes_are_probabilities(self) -> None:
        attributes = self.new_dictionary().train()(self.hidden_layers(scale=100))
        assert ((attributes >= 0) & (attributes <= 1)).all()

    def test_contributions_add_up_to_the_scores_before_the_sigmoid(self) -> None:
        dictionary, hidden = self.new_dictionary().eval(), self.hidden_layers()
        for j in (0, 5):
            asked = torch.zeros(8, 9)
            asked[:, j] = 1
            scores = dictionary.spatial_contributions(hidden, asked).total
            torch.testing.assert_close(scores.sigmoid(), dictionary(hidden)[:, j])
