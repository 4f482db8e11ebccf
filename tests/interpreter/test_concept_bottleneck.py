"""Concept bottleneck: its loss as a loop, and its gradients."""

import math

import pytest
import torch

from interp_by_design.attributes import ConceptDictionary
from interp_by_design.interpreter import ConceptBottleneck, DenseDecoder, Interpreter, LinearHead
from interp_by_design.interpreter.concept_bottleneck import concept_loss
from interp_by_design.terms import Batch, Concepts, ForwardPass, Interpretation, UserError
from interp_by_design.testing import InterpreterConformance

NAMES = ("has a loop", "is upright")


def made(
    shapes: tuple[tuple[int, ...], ...] = ((12,),), n_attributes: int = 2, n_classes: int = 5
) -> ConceptBottleneck:
    dictionary = ConceptDictionary([torch.Size(shape) for shape in shapes], n_attributes)
    return ConceptBottleneck(
        dictionary,
        LinearHead(n_attributes, n_classes),
        DenseDecoder(n_attributes, (1, 28, 28), width=8),
    )


class TestConceptBottleneck(InterpreterConformance):
    def interpreter(self) -> Interpreter:
        return made(self.shapes, self.n_attributes, self.n_classes)


def test_the_loss_is_binary_cross_entropy() -> None:
    p, t = torch.rand(4, 3), torch.randint(2, (4, 3)).float()
    found = float(concept_loss(p, t))
    each = [
        -math.log(q) if yes else -math.log(1 - q)
        for q, yes in zip(p.flatten().tolist(), t.flatten().tolist(), strict=True)
    ]
    assert found == pytest.approx(sum(each) / 12, rel=1e-5)


def test_the_loss_of_certainties_is_finite() -> None:
    certain = torch.tensor([[0.0, 1.0]], requires_grad=True)
    wrong = concept_loss(certain, torch.tensor([[1.0, 0.0]]))
    wrong.backward()
    assert wrong.isfinite()
    assert certain.grad.isfinite().all()
    assert concept_loss(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 1.0]])) < 1e-5


def test_each_image_learns_its_own_concepts() -> None:
    interpreter = made()
    interpreter.learn_from(
        Concepts(NAMES, torch.tensor([[True, False], [False, True], [True, True]]))
    )
    phi = torch.tensor([[0.9, 0.9], [0.9, 0.1]])
    seen = Interpretation(torch.zeros(2, 5), torch.zeros(2, 5), phi, None)
    batch = Batch(torch.zeros(2, 1, 28, 28), torch.tensor([0, 0]), torch.tensor([2, 0]))
    assert float(interpreter.extra_terms(seen, batch)["concepts"]) == pytest.approx(
        -math.log(0.9), rel=1e-5
    )
    assert interpreter.concept_names == NAMES


def test_the_decoder_teaches_the_concepts_nothing() -> None:
    interpreter = made().train()
    seen = ForwardPass(torch.zeros(4, 5), (torch.randn(4, 12),))
    interpreter.reconstruct(seen, interpreter(seen)).square().mean().backward()
    assert all(weight.grad is None for weight in interpreter.dictionary.parameters())
    assert all(weight.grad is not None for weight in interpreter.decoder.parameters())


def test_concept_labels_are_not_saved() -> None:
    interpreter = made()
    before = set(interpreter.state_dict())
    interpreter.learn_from(Concepts(NAMES, torch.ones(3, 2, dtype=torch.bool)))
    assert set(interpreter.state_dict()) == before


def test_data_without_concepts_or_with_others_is_refused() -> None:
    with pytest.raises(UserError, match="This data set has no concept labels"):
        made().learn_from(None)
    with pytest.raises(
        UserError, match=r"labels 2 concepts \(has a loop, is upright\), and there are 3 attributes"
    ):
        made(n_attributes=3).learn_from(Concepts(NAMES, torch.ones(1, 2, dtype=torch.bool)))
