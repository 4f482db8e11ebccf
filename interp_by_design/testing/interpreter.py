"""What every interpreter must pass: inherit `InterpreterConformance` and write `interpreter`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy

import torch

from interp_by_design.interpreter import Interpreter
from interp_by_design.terms import ForwardPass


class InterpreterConformance(ABC):
    shapes = ((6, 14, 14), (32,))
    image_shape = (1, 28, 28)
    n_classes = 5
    n_attributes = 9

    @abstractmethod
    def interpreter(self) -> Interpreter:
        """A fresh interpreter over hidden layers of `shapes`, with `n_attributes` and `n_classes`."""

    def seen(self, n: int = 8) -> ForwardPass:
        torch.manual_seed(1)
        return ForwardPass(
            torch.randn(n, self.n_classes), tuple(torch.randn(n, *shape) for shape in self.shapes)
        )

    def test_attributes_decision_and_image_have_their_shapes(self) -> None:
        interpreter = self.interpreter().eval()
        attributes = interpreter(self.seen())
        assert attributes.shape == (8, self.n_attributes) == (8, interpreter.n_attributes)
        assert (attributes >= 0).all()
        assert interpreter.head(attributes).shape == (8, self.n_classes)
        assert interpreter.decoder(attributes).shape == (8, *self.image_shape)

    def test_the_decision_is_the_sum_of_contributions(self) -> None:
        interpreter = self.interpreter().eval()
        attributes = interpreter(self.seen())
        contributions = attributes[:, None, :] * interpreter.head.weights
        torch.testing.assert_close(
            interpreter.head(attributes), contributions.sum(dim=2) + interpreter.head.bias
        )

    def test_a_copy_decides_alike(self) -> None:
        interpreter, seen = self.interpreter().eval(), self.seen()
        copied = deepcopy(interpreter)
        assert torch.equal(copied.head(copied(seen)), interpreter.head(interpreter(seen)))

    def test_its_own_losses_have_weights(self) -> None:
        assert all(weight > 0 for weight in self.interpreter().extra_weights.values())

    def test_deterministic_when_not_training(self) -> None:
        interpreter, seen = self.interpreter().eval(), self.seen()
        assert torch.equal(interpreter(seen), interpreter(seen))
