import pytest
import torch

from interp_by_design.attributes import TopKDictionary
from interp_by_design.interpreter import (
    DenseDecoder,
    Interpreter,
    LinearHead,
    LinearInterpreter,
    PublishedDecoder,
    RelabelledInterpreter,
)
from interp_by_design.interpreter.relabelled import random_codes
from interp_by_design.terms import ForwardPass, UserError
from interp_by_design.testing import InterpreterConformance


def parts(
    suite: InterpreterConformance, **head: object
) -> tuple[TopKDictionary, LinearHead, DenseDecoder]:
    return (
        TopKDictionary([torch.Size(shape) for shape in suite.shapes], suite.n_attributes, k=3),
        LinearHead(suite.n_attributes, suite.n_classes, **head),  # type: ignore[arg-type]
        DenseDecoder(suite.n_attributes, suite.image_shape),
    )


class TestLinear(InterpreterConformance):
    def interpreter(self) -> Interpreter:
        return LinearInterpreter(*parts(self))

    def test_the_answer_of_f_is_not_read(self) -> None:
        interpreter, seen = self.interpreter().eval(), self.forward_pass()
        other = ForwardPass(torch.full_like(seen.logits, torch.nan), seen.hidden)
        assert torch.equal(interpreter(seen), interpreter(other))

    def test_no_bias_means_no_evidence_no_preference(self) -> None:
        assert self.interpreter().head(torch.zeros(1, self.n_attributes)).abs().sum() == 0


class TestLinearWithBias(InterpreterConformance):
    def interpreter(self) -> Interpreter:
        return LinearInterpreter(*parts(self, bias=True, dropout=0.5))


class TestFrozenRandom(InterpreterConformance):
    def interpreter(self) -> Interpreter:
        return LinearInterpreter(*parts(self), frozen_dictionary=True)

    def test_only_head_and_decoder_learn(self) -> None:
        learning = {
            name.split(".")[0]
            for name, parameter in self.interpreter().named_parameters()
            if parameter.requires_grad
        }
        assert learning == {"head", "decoder"}

    def test_does_not_teach_the_predictor(self) -> None:
        hidden = tuple(layer.requires_grad_() for layer in self.forward_pass().hidden)
        assert not self.interpreter()(
            ForwardPass(torch.zeros(8, self.n_classes), hidden)
        ).requires_grad


class TestRelabelled(InterpreterConformance):
    def interpreter(self) -> Interpreter:
        return RelabelledInterpreter(*parts(self))

    def test_attributes_are_a_function_of_the_answer_alone(self) -> None:
        interpreter, seen = self.interpreter(), self.forward_pass()
        blind = ForwardPass(
            seen.logits, tuple(torch.full_like(layer, torch.nan) for layer in seen.hidden)
        )
        assert torch.equal(interpreter(seen), interpreter(blind))

    def test_does_not_teach_the_predictor(self) -> None:
        logits = torch.randn(2, self.n_classes, requires_grad=True)
        assert not self.interpreter()(ForwardPass(logits, ())).requires_grad


@pytest.mark.parametrize(
    ("n_classes", "n_attributes"), [(10, 25), (10, 20), (3, 6), (100, 30), (2, 50)]
)
def test_relabelled_codes_leave_no_attribute_dead_and_no_class_without_a_code(
    n_classes: int, n_attributes: int
) -> None:
    codes = random_codes(n_classes, n_attributes)
    assert ((codes > 0).sum(dim=1) >= 2).all()
    assert (codes > 0).any(dim=0).all()
    assert len(codes.unique(dim=0)) == n_classes


def test_the_published_decoder_has_as_many_parameters_as_the_authors_own() -> None:
    decoder = PublishedDecoder(25, (1, 28, 28))
    assert sum(p.numel() for p in decoder.parameters()) == 2_773
    assert decoder(torch.rand(2, 25)).shape == (2, 1, 28, 28)


def test_the_published_decoder_refuses_sides_that_are_no_multiples_of_4() -> None:
    with pytest.raises(UserError, match="multiples of 4, not 30x28"):
        PublishedDecoder(25, (1, 30, 28))


def test_dropout_of_everything_is_refused() -> None:
    with pytest.raises(UserError, match="dropout"):
        LinearHead(3, 2, dropout=1.0)
