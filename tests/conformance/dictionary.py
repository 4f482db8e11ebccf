"""What every attribute dictionary must pass: inherit `DictionaryConformance` and write `dictionary`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pytest
import torch

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.terms import UserError


class DictionaryConformance(ABC):
    shapes: Sequence[tuple[int, ...]] = ((6, 14, 14), (32,))

    @abstractmethod
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        """A fresh dictionary over layers of these shapes."""

    def made(self, n_attributes: int = 9) -> AttributeDictionary:
        torch.manual_seed(0)
        return self.dictionary([torch.Size(shape) for shape in self.shapes], n_attributes)

    def hidden(self, n: int = 8, scale: float = 1.0) -> list[torch.Tensor]:
        torch.manual_seed(1)
        return [scale * torch.randn(n, *shape) for shape in self.shapes]

    @pytest.mark.parametrize("training", [True, False])
    def test_attributes_are_finite_non_negative_and_counted(self, training: bool) -> None:
        for n_attributes in (4, 9):
            attributes = self.made(n_attributes).train(training)(self.hidden())
            assert attributes.shape == (8, n_attributes)
            assert (attributes >= 0).all()
            assert torch.isfinite(attributes).all()

    def test_says_how_many_attributes_it_has(self) -> None:
        assert self.made(4).n_attributes == 4

    def test_each_sample_alone_when_not_training(self) -> None:
        dictionary, hidden = self.made().eval(), self.hidden()
        alone = torch.cat([dictionary([layer[i : i + 1] for layer in hidden]) for i in range(8)])
        torch.testing.assert_close(dictionary(hidden), alone)

    def test_learns_through_every_hidden_layer(self) -> None:
        hidden = [layer.requires_grad_() for layer in self.hidden()]
        self.made().train()(hidden).square().sum().backward()
        assert all(layer.grad is not None and layer.grad.abs().sum() > 0 for layer in hidden)

    def test_finite_for_huge_activations(self) -> None:
        attributes = self.made().train()(self.hidden(scale=1e4))
        assert torch.isfinite(attributes).all()

    def test_the_state_dict_gives_the_same_attributes_back(self) -> None:
        first, hidden = self.made(), self.hidden()
        first.train()(hidden)
        torch.manual_seed(5)
        second = self.dictionary([torch.Size(shape) for shape in self.shapes], 9)
        second.load_state_dict(first.state_dict())
        assert torch.equal(first.eval()(hidden), second.eval()(hidden))

    @pytest.mark.parametrize("wrong", [0, -1, True])
    def test_refuses_what_is_no_number_of_attributes(self, wrong: int) -> None:
        with pytest.raises(UserError, match="n_attributes must be a whole number of at least 1"):
            self.dictionary([torch.Size(shape) for shape in self.shapes], wrong)
