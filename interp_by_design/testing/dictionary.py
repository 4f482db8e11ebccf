"""Conformance suites for attribute dictionaries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pytest
import torch

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.attributes.dictionary import HiddenBatches
from interp_by_design.terms import UserError


class DictionaryConformance(ABC):
    """Tests that every attribute dictionary passes.

    Attributes:
        shapes: Shapes of the hidden layers, without the batch: [c, h, w] or [d].
        counts: Two numbers of attributes that the dictionary can have, the second larger.
    """

    shapes: Sequence[tuple[int, ...]] = ((6, 14, 14), (32,))
    counts: tuple[int, int] = (4, 9)

    @abstractmethod
    def dictionary(self, shapes: Sequence[torch.Size], n_attributes: int) -> AttributeDictionary:
        """Return a new dictionary.

        Args:
            shapes: Shapes of the hidden layers that it reads, without the batch.
            n_attributes: Number of attributes J.
        """

    def new_dictionary(self, n_attributes: int | None = None) -> AttributeDictionary:
        """Return a new dictionary over layers of `shapes`, with seeded weights.

        Args:
            n_attributes: Number of attributes J; by default the larger of `counts`.
        """
        torch.manual_seed(0)
        return self.dictionary(
            [torch.Size(shape) for shape in self.shapes], n_attributes or self.counts[1]
        )

    def fitted_dictionary(self, n_attributes: int | None = None) -> AttributeDictionary:
        """Return a dictionary that can be called: fitted, if it needs a fit.

        Args:
            n_attributes: Number of attributes J; by default the larger of `counts`.
        """
        dictionary = self.new_dictionary(n_attributes)
        dictionary.fit(self.hidden_batches(), seed=0)
        return dictionary

    def hidden_batches(self, n: int = 60, seed: int = 2) -> HiddenBatches:
        """Return the hidden layers of a train split, in batches of at most 25 samples.

        Args:
            n: Number of samples.
            seed: Seed of the random values.
        """
        draws = torch.Generator().manual_seed(seed)
        layers = [torch.randn(n, *shape, generator=draws) for shape in self.shapes]
        return lambda: (
            [layer[start : start + 25] for layer in layers] for start in range(0, n, 25)
        )

    def hidden_layers(self, n: int = 8, scale: float = 1.0) -> list[torch.Tensor]:
        """Return random hidden layers [n, *shape], the same at each call.

        Args:
            n: Number of samples.
            scale: Standard deviation of the values.
        """
        torch.manual_seed(1)
        return [scale * torch.randn(n, *shape) for shape in self.shapes]

    @pytest.mark.parametrize("training", [True, False])
    def test_attributes_are_finite_non_negative_and_counted(self, training: bool) -> None:
        for n_attributes in self.counts:
            attributes = self.fitted_dictionary(n_attributes).train(training)(self.hidden_layers())
            assert attributes.shape == (8, n_attributes)
            assert (attributes >= 0).all()
            assert torch.isfinite(attributes).all()

    def test_n_attributes_is_the_number_asked_for(self) -> None:
        assert self.new_dictionary(self.counts[0]).n_attributes == self.counts[0]

    def test_samples_are_independent_in_eval_mode(self) -> None:
        dictionary, hidden = self.fitted_dictionary().eval(), self.hidden_layers()
        alone = torch.cat([dictionary([layer[i : i + 1] for layer in hidden]) for i in range(8)])
        torch.testing.assert_close(dictionary(hidden), alone)

    def test_gradients_reach_every_hidden_layer(self) -> None:
        hidden = [layer.requires_grad_() for layer in self.hidden_layers()]
        self.fitted_dictionary().train()(hidden).square().sum().backward()
        assert all(layer.grad is not None and layer.grad.abs().sum() > 0 for layer in hidden)

    def test_large_activations_give_finite_attributes(self) -> None:
        attributes = self.fitted_dictionary().train()(self.hidden_layers(scale=1e4))
        assert torch.isfinite(attributes).all()

    def test_a_state_dict_restores_the_attributes(self) -> None:
        first, hidden = self.fitted_dictionary(), self.hidden_layers()
        first.train()(hidden)
        torch.manual_seed(5)
        second = self.dictionary([torch.Size(shape) for shape in self.shapes], self.counts[1])
        second.load_state_dict(first.state_dict())
        assert torch.equal(first.eval()(hidden), second.eval()(hidden))

    @pytest.mark.parametrize("wrong", [0, -1, True])
    def test_an_invalid_number_of_attributes_is_refused(self, wrong: int) -> None:
        with pytest.raises(UserError, match="n_attributes must be a whole number of at least 1"):
            self.dictionary([torch.Size(shape) for shape in self.shapes], wrong)

    def test_a_fitted_dictionary_is_frozen(self) -> None:
        dictionary = self.new_dictionary()
        before = {name: value.clone() for name, value in dictionary.state_dict().items()}
        dictionary.fit(self.hidden_batches(), seed=0)
        if dictionary.needs_fit:
            assert dictionary.fitted
            assert not any(parameter.requires_grad for parameter in dictionary.parameters())
            assert not any(value.requires_grad for value in dictionary.state_dict().values())
            fitted = [value.clone() for value in dictionary.state_dict().values()]
            dictionary.train()(self.hidden_layers())
            assert all(
                torch.equal(before_call, after_call)
                for before_call, after_call in zip(
                    fitted, dictionary.state_dict().values(), strict=True
                )
            )
        else:
            assert all(
                torch.equal(value, before[name]) for name, value in dictionary.state_dict().items()
            )

    def test_the_exported_graph_gives_the_same_attributes(self) -> None:
        dictionary, hidden = self.fitted_dictionary().eval(), self.hidden_layers()
        samples = torch.export.Dim("n")
        with torch.no_grad():
            program = torch.export.export(
                dictionary, (hidden,), dynamic_shapes=([{0: samples} for _ in hidden],)
            )
        for n in (1, 8):
            some = [layer[:n] for layer in hidden]
            torch.testing.assert_close(program.module()(some), dictionary(some))


class FittedConformance(DictionaryConformance):
    """Further tests for a dictionary that is fitted before the head is trained."""

    def test_a_call_before_the_fit_is_refused(self) -> None:
        with pytest.raises(UserError, match=r"not fitted yet. Call fit\(hidden, seed\)"):
            self.new_dictionary()(self.hidden_layers())

    def test_the_same_batches_and_seed_give_the_same_dictionary(self) -> None:
        first, second = self.fitted_dictionary(), self.new_dictionary()
        torch.manual_seed(99)
        state = torch.get_rng_state()
        second.fit(self.hidden_batches(), seed=0)
        assert torch.equal(torch.get_rng_state(), state)
        for name, value in first.state_dict().items():
            assert torch.equal(second.state_dict()[name], value), name

    def test_half_precision_is_accepted(self) -> None:
        dictionary, batches = self.new_dictionary(), self.hidden_batches()
        dictionary.fit(lambda: ([layer.half() for layer in layers] for layers in batches()), seed=0)
        assert torch.isfinite(dictionary([layer.half() for layer in self.hidden_layers()])).all()

    @pytest.mark.parametrize("n", [0, 1])
    def test_too_few_samples_are_refused(self, n: int) -> None:
        with pytest.raises(UserError, match=f"at least two train samples, and there are {n}"):
            self.new_dictionary().fit(self.hidden_batches(n), seed=0)

    @pytest.mark.parametrize("bad", [float("nan"), float("inf")])
    def test_values_that_are_not_finite_are_refused(self, bad: float) -> None:
        layers = [
            layer
            for batch in zip(*self.hidden_batches()(), strict=True)
            for layer in [torch.cat(batch)]
        ]
        layers[0][40] = bad
        dictionary = self.new_dictionary()
        with pytest.raises(UserError, match="train sample 40 hold NaN or an infinity"):
            dictionary.fit(
                lambda: [[layer[:30] for layer in layers], [layer[30:] for layer in layers]], seed=0
            )
        assert not dictionary.fitted

    def test_constant_layers_are_refused(self) -> None:
        with pytest.raises(UserError, match="the same in all of 60 train samples"):
            self.new_dictionary().fit(
                lambda: [[torch.ones(60, *shape) for shape in self.shapes]], seed=0
            )

    def test_one_constant_layer_is_accepted(self) -> None:
        dictionary, batches = self.new_dictionary(), self.hidden_batches()
        dictionary.fit(
            lambda: ([torch.ones_like(first), *others] for first, *others in batches()), seed=0
        )
        assert torch.isfinite(dictionary(self.hidden_layers())).all()
