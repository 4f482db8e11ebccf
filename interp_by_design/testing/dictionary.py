"""What every attribute dictionary must pass: inherit `DictionaryConformance` and write `dictionary`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pytest
import torch

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.attributes.dictionary import HiddenBatches
from interp_by_design.terms import UserError


class DictionaryConformance(ABC):
    shapes: Sequence[tuple[int, ...]] = ((6, 14, 14), (32,))
    counts: tuple[int, int] = (
        4,
        9,
    )  # numbers of attributes that the dictionary can have, the second larger

    @abstractmethod
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        """A fresh dictionary over layers of these shapes."""

    def fresh(self, n_attributes: int | None = None) -> AttributeDictionary:
        torch.manual_seed(0)
        return self.dictionary(
            [torch.Size(shape) for shape in self.shapes], n_attributes or self.counts[1]
        )

    def made(self, n_attributes: int | None = None) -> AttributeDictionary:
        """A dictionary that gives attributes: fitted, where it has to be."""
        dictionary = self.fresh(n_attributes)
        dictionary.fit(self.passes(), seed=0)
        return dictionary

    def passes(self, n: int = 60, seed: int = 2) -> HiddenBatches:
        """A train split of n samples, in batches of 25 at most."""
        draws = torch.Generator().manual_seed(seed)
        layers = [torch.randn(n, *shape, generator=draws) for shape in self.shapes]
        return lambda: (
            [layer[start : start + 25] for layer in layers] for start in range(0, n, 25)
        )

    def hidden(self, n: int = 8, scale: float = 1.0) -> list[torch.Tensor]:
        torch.manual_seed(1)
        return [scale * torch.randn(n, *shape) for shape in self.shapes]

    @pytest.mark.parametrize("training", [True, False])
    def test_attributes_are_finite_non_negative_and_counted(self, training: bool) -> None:
        for n_attributes in self.counts:
            attributes = self.made(n_attributes).train(training)(self.hidden())
            assert attributes.shape == (8, n_attributes)
            assert (attributes >= 0).all()
            assert torch.isfinite(attributes).all()

    def test_says_how_many_attributes_it_has(self) -> None:
        assert self.fresh(self.counts[0]).n_attributes == self.counts[0]

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
        second = self.dictionary([torch.Size(shape) for shape in self.shapes], self.counts[1])
        second.load_state_dict(first.state_dict())
        assert torch.equal(first.eval()(hidden), second.eval()(hidden))

    @pytest.mark.parametrize("wrong", [0, -1, True])
    def test_refuses_what_is_no_number_of_attributes(self, wrong: int) -> None:
        with pytest.raises(UserError, match="n_attributes must be a whole number of at least 1"):
            self.dictionary([torch.Size(shape) for shape in self.shapes], wrong)

    def test_a_fit_leaves_nothing_for_the_head_s_training_to_move(self) -> None:
        dictionary = self.fresh()
        before = {name: value.clone() for name, value in dictionary.state_dict().items()}
        dictionary.fit(self.passes(), seed=0)
        if dictionary.needs_fit:
            assert dictionary.fitted
            assert not any(parameter.requires_grad for parameter in dictionary.parameters())
            assert not any(value.requires_grad for value in dictionary.state_dict().values())
            fitted = [value.clone() for value in dictionary.state_dict().values()]
            dictionary.train()(self.hidden())
            assert all(
                torch.equal(*pair)
                for pair in zip(fitted, dictionary.state_dict().values(), strict=True)
            )
        else:
            assert all(
                torch.equal(value, before[name]) for name, value in dictionary.state_dict().items()
            )

    def test_the_graph_that_is_exported_gives_the_same_attributes(self) -> None:
        dictionary, hidden = self.made().eval(), self.hidden()
        samples = torch.export.Dim("n")
        with torch.no_grad():
            program = torch.export.export(
                dictionary, (hidden,), dynamic_shapes=([{0: samples} for _ in hidden],)
            )
        for n in (1, 8):
            some = [layer[:n] for layer in hidden]
            torch.testing.assert_close(program.module()(some), dictionary(some))


class FittedConformance(DictionaryConformance):
    """What a dictionary that needs a fit must pass besides."""

    def test_unfitted_it_says_so(self) -> None:
        with pytest.raises(UserError, match=r"not fitted yet. Call fit\(hidden, seed\)"):
            self.fresh()(self.hidden())

    def test_the_same_batches_and_seed_give_the_same_dictionary(self) -> None:
        first, second = self.made(), self.fresh()
        torch.manual_seed(99)
        state = torch.get_rng_state()
        second.fit(self.passes(), seed=0)
        assert torch.equal(torch.get_rng_state(), state)
        for name, value in first.state_dict().items():
            assert torch.equal(second.state_dict()[name], value), name

    def test_half_precision_is_read(self) -> None:
        dictionary, passes = self.fresh(), self.passes()
        dictionary.fit(lambda: ([layer.half() for layer in layers] for layers in passes()), seed=0)
        assert torch.isfinite(dictionary([layer.half() for layer in self.hidden()])).all()

    @pytest.mark.parametrize("n", [0, 1])
    def test_too_few_samples_are_refused(self, n: int) -> None:
        with pytest.raises(UserError, match=f"two train samples at least, and there are {n}"):
            self.fresh().fit(self.passes(n), seed=0)

    @pytest.mark.parametrize("bad", [float("nan"), float("inf")])
    def test_what_is_not_finite_is_refused(self, bad: float) -> None:
        layers = [
            layer for batch in zip(*self.passes()(), strict=True) for layer in [torch.cat(batch)]
        ]
        layers[0][40] = bad
        dictionary = self.fresh()
        with pytest.raises(UserError, match="train sample 40 hold NaN or an infinity"):
            dictionary.fit(
                lambda: [[layer[:30] for layer in layers], [layer[30:] for layer in layers]], seed=0
            )
        assert not dictionary.fitted

    def test_layers_that_never_change_are_refused(self) -> None:
        with pytest.raises(UserError, match="the same in all of 60 train samples"):
            self.fresh().fit(lambda: [[torch.ones(60, *shape) for shape in self.shapes]], seed=0)

    def test_a_layer_that_never_changes_is_no_harm(self) -> None:
        dictionary, passes = self.fresh(), self.passes()
        dictionary.fit(
            lambda: ([torch.ones_like(first), *others] for first, *others in passes()), seed=0
        )
        assert torch.isfinite(dictionary(self.hidden())).all()
