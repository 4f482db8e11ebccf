"""Conformance suite for interpreters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy

import torch

from interp_by_design.interpreter import Interpreter
from interp_by_design.terms import ForwardPass


class InterpreterConformance(ABC):
    """Tests that every interpreter passes.

    Attributes:
        shapes: Shapes of the hidden layers, without the batch: [c, h, w] or [d].
        image_shape: Shape of an image, [c, h, w].
        n_classes: Number of classes C.
        n_attributes: Number of attributes J.
    """

    shapes = ((6, 14, 14), (32,))
    image_shape = (1, 28, 28)
    n_classes = 5
    n_attributes = 9

    @abstractmethod
    def interpreter(self) -> Interpreter:
        """Return a new interpreter for `shapes`, `image_shape`, `n_classes` and `n_attributes`."""

    def forward_pass(self, n: int = 8) -> ForwardPass:
        """Return random logits and hidden layers, the same at each call.

        Args:
            n: Number of samples.
        """
        torch.manual_seed(1)
        return ForwardPass(
            torch.randn(n, self.n_classes), tuple(torch.randn(n, *shape) for shape in self.shapes)
        )

    def test_attributes_logits_and_images_have_their_shapes(self) -> None:
        interpreter = self.interpreter().eval()
        attributes = interpreter(self.forward_pass())
        assert attributes.shape == (8, self.n_attributes) == (8, interpreter.n_attributes)
        assert (attributes >= 0).all()
        assert interpreter.head(attributes).shape == (8, self.n_classes)
        assert interpreter.decoder(attributes).shape == (8, *self.image_shape)

    def test_logits_are_the_sum_of_contributions(self) -> None:
        interpreter = self.interpreter().eval()
        attributes = interpreter(self.forward_pass())
        contributions = attributes[:, None, :] * interpreter.head.weights
        torch.testing.assert_close(
            interpreter.head(attributes), contributions.sum(dim=2) + interpreter.head.bias
        )

    def test_a_copy_gives_the_same_logits(self) -> None:
        interpreter, forward_pass = self.interpreter().eval(), self.forward_pass()
        copied = deepcopy(interpreter)
        assert torch.equal(
            copied.head(copied(forward_pass)), interpreter.head(interpreter(forward_pass))
        )

    def test_weights_of_its_own_losses_are_positive(self) -> None:
        assert all(weight > 0 for weight in self.interpreter().extra_weights.values())

    def test_eval_mode_is_deterministic(self) -> None:
        interpreter, forward_pass = self.interpreter().eval(), self.forward_pass()
        assert torch.equal(interpreter(forward_pass), interpreter(forward_pass))
